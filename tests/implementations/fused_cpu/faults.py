"""Calls the sanitized C++ wrongly, each time in a process of its own, and prints the faults that
passed unseen.

`faults.py MODULE`, started by test_sanitizers.py. A tensor is one element shorter than the kernel
is told.
"""

from __future__ import annotations

import os
import re
import sys
from functools import partial

import torch
from sanitized import install

from implementations.fused_cpu.kernels import NUMBERS

ROWS = 4
# Channels, and bytes of the last cache: rows end in part of a vector, in a whole one, in one that
# is stored past the caches.
ENDS = {"a tail": (37, 1 << 30), "a vector": (64, 1 << 30), "a stream": (64, 64)}


def call(
    dtype=torch.float32, channels=64, last_cache=1 << 30, *, read=0, written=0, rows=ROWS, weight=0
):
    """A forward over tensors that are so many elements too short, with this address for its
    weight.
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
    """A name, the call, and what has to be said of it; nothing of a call that is right."""
    for dtype in NUMBERS:
        for end, (channels, last_cache) in ENDS.items():
            of = partial(call, dtype, channels, last_cache)
            yield f"{dtype}, {end}, nothing wrong", of, None
            yield (
                f"{dtype}, {end}, read",
                partial(of, read=1),
                r"AddressSanitizer: .*\nREAD of size",
            )
            yield (
                f"{dtype}, {end}, written",
                partial(of, written=1),
                r"AddressSanitizer: .*\nWRITE of size",
            )
    yield "a misaligned weight", misaligned, "runtime error: load of misaligned address"
    yield (
        "more bytes than can be counted",
        partial(call, rows=1 << 62),
        "runtime error: signed integer overflow",
    )


def end_of(function):
    """The exit status of a process that calls it, and what it said."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(write, 2)
        function()
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as said:
        text = said.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), text


if __name__ == "__main__":
    install(sys.argv[1])
    for name, function, expected in cases():
        status, said = end_of(function)
        seen = status == 0 if expected is None else status != 0 and re.search(expected, said)
        if not seen:
            print(f"{name}: status {status}, {said[:2000] or 'nothing said'}")
