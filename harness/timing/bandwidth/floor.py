"""An arm that moves a traffic's bytes and computes nothing: in a block with implementations, the floor under their times."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import cycle
from typing import TYPE_CHECKING, Literal, get_args

from harness.timing.bandwidth.library import Region, walk
from harness.timing.bandwidth.traffic import Pass, Stream, Traffic
from implementations.interface import Prepared, Results

if TYPE_CHECKING:
    import torch

Stores = Literal["ordinary", "streaming"]
LINE = 64  # bytes of a cache line


class Floor(Prepared):
    """One call moves every byte of every pass once, over buffers of its own: one for each name among the streams.

    Each pass walks opposite to the one before it, from call to call too, so that what is still cached is used. A stream
    that has fewer bytes in one pass than in another is there what the pass before has left behind longest ago.
    ``stores`` past the caches spare reading the lines first, and lose what a later pass could have found there.
    Raises ``Unavailable`` without the C++, ``ValueError`` for other ``stores``.
    """

    def __init__(self, traffic: Traffic, *, stores: Stores = "ordinary") -> None:
        if stores not in get_args(Stores):
            raise ValueError(f"stores={stores!r} is not possible; allowed: {', '.join(get_args(Stores))}")
        self.traffic = traffic
        self._buffers = {name: _buffer(size) for name, size in _sizes(traffic).items()}
        # An even number of passes ends as it begins to go: the next call goes the same ways.
        ways = (False, True) if len(traffic.passes) % 2 else (False,)
        self._walks: Iterator[Callable[[], int]] = cycle([self._walk(stores, backwards) for backwards in ways])

    def arm(self, calls: int) -> None:
        """Nothing is consumed."""

    def __call__(self) -> None:
        next(self._walks)()

    def synchronize(self) -> None:
        """A call returns when all is done."""

    def results(self) -> Results:
        raise TypeError("a floor moves bytes and computes nothing; ask an implementation for results")

    def _walk(self, stores: Stores, backwards: bool) -> Callable[[], int]:
        passes = [self._regions(one, backwards != bool(index % 2)) for index, one in enumerate(self.traffic.passes)]
        return walk(passes, streaming=stores == "streaming", backwards=backwards)

    def _regions(self, one: Pass, backwards: bool) -> tuple[list[Region], list[Region]]:
        return ([self._region(stream, backwards) for stream in one.reads],
                [self._region(stream, backwards) for stream in one.writes])

    def _region(self, stream: Stream, backwards: bool) -> Region:
        buffer = self._buffers[stream.name]
        # A pass that goes backwards follows one that has ended at the end: the beginning is what is not cached any more.
        skipped = 0 if backwards else (buffer.nbytes - stream.bytes) // LINE * LINE
        return Region(buffer.data_ptr() + skipped, stream.bytes)


def _sizes(traffic: Traffic) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for one in traffic.passes:
        for stream in (*one.reads, *one.writes):
            sizes[stream.name] = max(stream.bytes, sizes.get(stream.name, 0))
    return sizes


def _buffer(size: int) -> torch.Tensor:
    """Bytes that begin on a cache line, allocated as tensors are, and written once so that their pages are there."""
    import torch

    bare = torch.ones(size + LINE, dtype=torch.uint8)
    ahead = -bare.data_ptr() % LINE
    return bare[ahead:ahead + size]
