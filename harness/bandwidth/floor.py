"""An arm that moves a traffic's bytes and computes nothing: in a block with implementations, the
floor under their times.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, get_args

from harness.bandwidth.library import Region, prepare_move
from harness.bandwidth.traffic import Stream, Traffic
from implementations.interface import Prepared, Results

if TYPE_CHECKING:
    import torch

Stores = Literal["ordinary", "streaming"]
LINE = 64  # bytes of a cache line


class PreparedFloor(Prepared):
    """One call moves every byte of every pass once, over buffers of its own: one for each name
    among the streams.

    A stream that has fewer bytes in one pass than in another is the beginning of that buffer, which
    the pass before has left longest ago. ``stores`` past the caches spare reading the lines first,
    and lose what a later pass could have found there. Raises ``Unavailable`` without the C++,
    ``ValueError`` for other ``stores``.
    """

    def __init__(self, traffic: Traffic, *, stores: Stores = "ordinary") -> None:
        if stores not in get_args(Stores):
            raise ValueError(
                f"stores={stores!r} is not possible; allowed: {', '.join(get_args(Stores))}"
            )
        self.traffic = traffic
        self._buffers = {name: _buffer(size) for name, size in _sizes(traffic).items()}
        passes = [(self._regions(one.reads), self._regions(one.writes)) for one in traffic.passes]
        self._move = prepare_move(passes, streaming=stores == "streaming")

    def arm(self, calls: int) -> None:
        """Nothing is consumed."""

    def __call__(self) -> None:
        self._move()

    def synchronize(self) -> None:
        """A call returns when all is done."""

    def results(self) -> Results:
        raise TypeError(
            "a floor moves bytes and computes nothing; ask an implementation for results"
        )

    def _regions(self, streams: Sequence[Stream]) -> list[Region]:
        return [Region(self._buffers[stream.name].data_ptr(), stream.bytes) for stream in streams]


def _sizes(traffic: Traffic) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for one in traffic.passes:
        for stream in (*one.reads, *one.writes):
            sizes[stream.name] = max(stream.bytes, sizes.get(stream.name, 0))
    return sizes


def _buffer(size: int) -> torch.Tensor:
    """Bytes that begin on a cache line, allocated as tensors are, and written once so that their
    pages are there.
    """
    import torch

    bare = torch.ones(size + LINE, dtype=torch.uint8)
    ahead = -bare.data_ptr() % LINE
    return bare[ahead : ahead + size]
