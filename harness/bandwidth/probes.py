"""Bandwidth probes: any arrays moved once, and named mixes of reads and writes as arms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from harness.bandwidth.floor import PreparedFloor, Stores
from harness.bandwidth.library import Region, prepare_move
from harness.bandwidth.traffic import Pass, Stream, Traffic


@dataclass(frozen=True)
class Mix:
    """So many arrays read and so many written at a time, all as long as each other."""

    reads: int
    writes: int
    stores: Stores = "ordinary"

    def traffic(self, working_set: int) -> Traffic:
        """One pass over arrays that have ``working_set`` bytes in all, cut to whole bytes."""
        each = working_set // (self.reads + self.writes)
        return Traffic(
            (
                Pass(
                    tuple(Stream(f"read {index}", each) for index in range(self.reads)),
                    tuple(Stream(f"write {index}", each) for index in range(self.writes)),
                ),
            )
        )


# Of the STREAM benchmark's kernels (J. D. McCalpin, 1995) copy and add, and what batch norm's
# phases are mixed of.
NAMED: Mapping[str, Mix] = MappingProxyType(
    {
        "read": Mix(1, 0),
        "write": Mix(0, 1),
        "streaming write": Mix(0, 1, "streaming"),
        "copy": Mix(1, 1),
        "streaming copy": Mix(1, 1, "streaming"),
        "2 reads, 1 write": Mix(2, 1),
        "2 reads, 1 streaming write": Mix(2, 1, "streaming"),
    }
)


def probe(name: str, working_set: int) -> PreparedFloor:
    """A named mix over buffers of ``working_set`` bytes in all, ready to be timed. Raises
    ``Unavailable``, ``ValueError``.
    """
    if name not in NAMED:
        raise ValueError(f"there is no probe {name!r}; allowed: {', '.join(NAMED)}")
    return PreparedFloor(NAMED[name].traffic(working_set), stores=NAMED[name].stores)


def move(reads: Sequence[Any], writes: Sequence[Any], *, streaming: bool = False) -> int:
    """Read every byte of some arrays and overwrite every byte of others, once, by as many threads
    as torch has.

    NumPy arrays and torch tensors in the CPU's memory, of any length and alignment, each without
    gaps. What is written is of no meaning. Returns a sum of what was read, which changes when one
    byte does. Raises ``ValueError`` for other arrays, ``Unavailable`` without the C++.
    """
    regions = (
        [_region(array, written=False) for array in reads],
        [_region(array, written=True) for array in writes],
    )
    return prepare_move([regions], streaming=streaming)()


def _region(array: Any, *, written: bool) -> Region:
    if hasattr(array, "data_ptr"):
        dense, readable = array.is_contiguous(), array.device.type == "cpu"
        address = array.data_ptr() if readable else 0
    else:
        dense, readable = array.flags.c_contiguous, array.flags.writeable or not written
        address = array.ctypes.data
    if not (dense and readable):
        raise ValueError(
            f"cannot move an array of shape {tuple(array.shape)}: it must lie in the CPU's memory "
            f"without gaps{', and be writeable' * written}; give a contiguous copy"
        )
    return Region(address, array.nbytes)
