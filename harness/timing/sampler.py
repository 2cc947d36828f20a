"""The order of things in one launch: calibrate each arm, then blocks in which every arm is sampled once, in random order.

Pure of processes and clocks: a `Bench` does the sampling, so that a test proves the order with one of its own.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Protocol

GROWTH = 10  # at most tenfold at a time: a first call may be slow for reasons that do not last
LIVE_BYTES = 1 << 30  # of graphs that an untimed `arm` may pile up for the calls of one sample


class Bench(Protocol):
    """Where arms are sampled."""

    def sample(self, arm: str, calls: int) -> float:
        """Seconds that ``calls`` calls of ``arm`` took."""


@dataclass(frozen=True)
class Sample:
    """One timed group of calls."""

    arm: str
    block: int
    calls: int
    seconds: float


def calibrate(bench: Bench, arm: str, least_seconds: float, most_calls: int) -> int:
    """How many calls make a sample of ``least_seconds``: enough that the clock's resolution is far under 1 % of it."""
    calls = 1
    while True:
        seconds = bench.sample(arm, calls)
        if seconds >= least_seconds or calls >= most_calls:
            return calls
        wanted = ceil(calls * 1.1 * least_seconds / seconds) if seconds > 0 else calls * GROWTH
        calls = min(max(wanted, calls + 1), calls * GROWTH, most_calls)


def interleave(bench: Bench, calls: Mapping[str, int], blocks: int, order: random.Random) -> list[Sample]:
    """Sample every arm once a block, in an order drawn anew for each block."""
    return [
        Sample(arm, block, calls[arm], bench.sample(arm, calls[arm]))
        for block in range(blocks)
        for arm in order.sample(sorted(calls), len(calls))
    ]


def most_calls(bytes_kept: int) -> int:
    """How many calls one sample may have when each consumes a graph of ``bytes_kept`` bytes made beforehand."""
    return max(1, LIVE_BYTES // max(1, bytes_kept))
