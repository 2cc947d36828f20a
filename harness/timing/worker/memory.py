"""What an arm's call takes of memory: bytes kept for the backward, and the most that is resident
while it runs.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable
from pathlib import Path

import torch

from harness.problems.tensors import named_tensors
from implementations.interface import Arrays, Prepared

STATUS = Path("/proc/self/status")
CLEAR = Path("/proc/self/clear_refs")
# Linux, Documentation/filesystems/proc.rst: the peak resident set size becomes the current one
RESET_PEAK = "5"
# bytes by which the kernel's counts, kept for each CPU and summed up at times, may differ
SLACK = 4 << 20


def saved_bytes(prepared: Prepared, arrays: Arrays) -> int:
    """Bytes that autograd keeps from one forward of a prepared layer until its backward.

    Each storage counts once, and whole, since a view of it keeps all of it alive. Not counted: the
    operands; the output, which lives on as the next layer's input whether saved or not; and what a
    second forward saves again, such as running statistics, since it is there for one forward as for
    a hundred. What a layer keeps without telling autograd is not seen.
    """
    rounds: list[dict[int, torch.UntypedStorage]] = []

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        # alive until the end, so that no address comes twice
        rounds[-1][storage.data_ptr()] = storage
        return tensor.detach()  # an output that saves itself would be a cycle

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        for _ in range(2):
            rounds.append({})
            prepared.arm(1)
            prepared()
            prepared.synchronize()
    operands = named_tensors(arrays).values()
    known = {operand.untyped_storage().data_ptr() for operand in operands}
    known |= {prepared.results().output.untyped_storage().data_ptr(), *rounds[0]}
    return sum(storage.nbytes() for address, storage in rounds[1].items() if address not in known)


def peak_extra_bytes(call: Callable[[], object]) -> int | None:
    """The most resident memory that one call adds to what was there before it; None where the
    kernel does not tell.

    Whoever allocates it, NumPy, torch or C++. Free memory that an allocator has kept goes back to
    the system first, or it would be used again unseen: `malloc_trim` does so within the heap too,
    whatever the thresholds (glibc, since 2.8). Exact to some pages for each CPU; where transparent
    huge pages are in use, to 2 MiB an array. GPU memory is not in it.
    """
    trim()
    try:
        CLEAR.write_text(RESET_PEAK)
        peak, before = _resident()
        if peak - before > SLACK:
            return None  # the kernel took the request and did nothing
    except (OSError, KeyError):
        return None
    call()
    return max(_resident()[0] - before, 0)


def _resident() -> tuple[int, int]:
    """Bytes at the peak and now. Raises KeyError where the kernel gives neither."""
    sizes = dict(re.findall(r"^(Vm\w+):\s+(\d+) kB$", STATUS.read_text(), re.MULTILINE))
    return int(sizes["VmHWM"]) << 10, int(sizes["VmRSS"]) << 10


def trim() -> None:
    """Have the C library give back to the system what is free."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError, TypeError):
        return  # another C library: what its allocator has kept stays unseen
