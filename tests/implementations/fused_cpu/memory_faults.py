"""Calls the sanitized C++ with memory faults, each in a process of its own, and prints the faults
that were not reported.

`memory_faults.py MODULE`, started by test_sanitizers.py. Most faults are tensors that are one
element shorter than the shape that the kernel gets.
"""

from __future__ import annotations

import os
import re
import sys
from functools import partial

import torch
from sanitized_pytest import install  # type: ignore[import-not-found]  # it runs beside that file

from implementations.fused_cpu.kernels import NUMBERS

ROWS = 4
# Channels, and bytes of the last-level cache, for rows that end in a tail, in a whole vector, and
# in a streaming store.
ENDS = {"tail": (37, 1 << 30), "vector": (64, 1 << 30), "streaming store": (64, 64)}


def call(
    dtype=torch.float32, channels=64, last_cache=1 << 30, *, read=0, written=0, rows=ROWS, weight=0
):
    """A forward over an input that is `read` elements too short and an output that is `written`
    too short, with this address for its weight.
    """
    from implementations.fused_cpu.library import native

    native().set_cache_sizes(64, last_cache)
    x, y = (torch.ones(ROWS * channels - short, dtype=dtype) for short in (read, written))
    native().forward(
        NUMBERS[dtype],
        True,
        rows,
        channels,
        1,
        x.data_ptr(),
        0,
        y.data_ptr(),
        0,
        NUMBERS[dtype],
        weight,
        0,
        0,
        0,
        0,
        False,
        False,
        0.1,
        1e-5,
        1,
    )


def misaligned():
    call(weight=torch.ones(65).data_ptr() + 1)


def cases():
    """A name, the call, and a pattern of the report; None for a call that is right."""
    for dtype in NUMBERS:
        for end, (channels, last_cache) in ENDS.items():
            of = partial(call, dtype, channels, last_cache)
            name = f"{dtype}, {end}"
            yield f"{name}, no fault", of, None
            yield f"{name}, read", partial(of, read=1), r"AddressSanitizer: .*\nREAD of size"
            yield f"{name}, written", partial(of, written=1), r"AddressSanitizer: .*\nWRITE of size"
    yield "a misaligned weight", misaligned, "runtime error: load of misaligned address"
    yield (
        "more bytes than can be counted",
        partial(call, rows=1 << 62),
        "runtime error: signed integer overflow",
    )


def run_in_fork(function):
    """The exit status of a process that calls the function, and its standard error."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(write, 2)
        function()
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        stderr = pipe.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), stderr


if __name__ == "__main__":
    install(sys.argv[1])
    for name, function, expected in cases():
        status, stderr = run_in_fork(function)
        if expected is None:
            as_expected = status == 0
        else:
            as_expected = status != 0 and re.search(expected, stderr)
        if not as_expected:
            print(f"{name}: status {status}, {stderr[:2000] or 'no message'}")
