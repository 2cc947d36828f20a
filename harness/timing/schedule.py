"""The order of things in one launch: calibrate each arm, warm it until it is steady, then blocks of
all arms.

Pure of processes and clocks: a `Bench` does the sampling, so that a test proves the order with one
of its own.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Protocol

from harness.statistics import is_steady
from harness.timing.timing_result import Taken

GROWTH = 10  # at most tenfold at a time: a first call may be slow for reasons that do not last
LIVE_BYTES = 1 << 30  # of graphs that an untimed `arm` may pile up for the calls of one sample
GROUPS = 5  # groups of calls, while warming up, that make the length of a sample
WARM_UP_SECONDS = 0.05  # that the windows of groups should last which are compared with each other
# groups in such a window: few of long calls, and enough of short ones for their noise
WINDOWS = (3, 10)
LONGEST_WARM_UP = 10  # times the two windows, past which an arm counts as unsteady
# of a sample, that its threads may have waited for a CPU: less than any margin worth testing
WAITED = 0.02
# at a sample that waited longer: one slice of another process's is 4 ms, and seldom comes twice
ATTEMPTS = 3
# every other block has this many times the calls, so that time has a slope over their number
SLOPE = 2


class Bench(Protocol):
    """Where arms are sampled."""

    def sample(self, arm: str, calls: int, untimed: int) -> Taken:
        """``calls`` calls of ``arm`` timed together, after ``untimed`` ones."""


@dataclass(frozen=True)
class Sample:
    """One timed group of calls. ``set_aside`` says that it waited for a CPU, and another was taken
    in its place.
    """

    arm: str
    block: int
    calls: int
    taken: Taken
    set_aside: bool = False

    @property
    def waited(self) -> bool:
        return (self.taken.waited or 0.0) > WAITED


@dataclass(frozen=True)
class WarmedUp:
    """An arm before its blocks: calls that make a sample, and the seconds per call of the groups
    that led there.
    """

    calls: int
    groups: Sequence[float]
    steady: bool


def calibrate(bench: Bench, arm: str, least_seconds: float, most_calls: int) -> int:
    """How many calls make a sample of ``least_seconds``: enough that the clock's resolution is far
    under 1 % of it.
    """
    calls = 1
    while True:
        seconds = bench.sample(arm, calls, calls).seconds
        if seconds >= least_seconds or calls >= most_calls:
            return calls
        wanted = ceil(calls * 1.1 * least_seconds / seconds) if seconds > 0 else calls * GROWTH
        calls = min(max(wanted, calls + 1), calls * GROWTH, most_calls)


def warm_up(bench: Bench, arm: str, least_seconds: float, most_calls: int) -> WarmedUp:
    """Calibrate an arm, and call it until groups of calls last as long as those before them."""
    calls = calibrate(bench, arm, least_seconds / GROUPS, most_calls)
    groups = [bench.sample(arm, calls, 0).seconds / calls]
    window = min(max(ceil(WARM_UP_SECONDS / max(groups[0] * calls, 1e-9)), WINDOWS[0]), WINDOWS[1])
    while not (steady := is_steady(groups, window)) and len(groups) < LONGEST_WARM_UP * 2 * window:
        groups.append(bench.sample(arm, calls, 0).seconds / calls)
    newest = sorted(groups[-GROUPS:])[GROUPS // 2]
    enough = ceil(least_seconds / newest) if newest > 0 else calls * GROUPS
    return WarmedUp(min(max(enough, calls), most_calls), groups, steady)


def block(
    bench: Bench, calls: Mapping[str, int], index: int, order: random.Random, most_calls: int
) -> Iterator[Sample]:
    """Sample every arm, in an order drawn anew: in every other block ``SLOPE`` times the calls,
    where memory allows.

    A sample that waited for a CPU is taken again at once, up to ``ATTEMPTS`` times, and the one
    that waited least counts: that judges by the kernel's account and never by the time itself.
    """
    times = SLOPE if index % 2 and max(calls.values()) * SLOPE <= most_calls else 1
    for arm in order.sample(sorted(calls), len(calls)):
        taken: list[Sample] = []
        while not taken or (taken[-1].waited and len(taken) < ATTEMPTS):
            taken.append(
                Sample(
                    arm,
                    index,
                    calls[arm] * times,
                    bench.sample(arm, calls[arm] * times, calls[arm]),
                )
            )
        counts = min(taken, key=lambda sample: sample.taken.waited or 0.0)
        yield from (
            sample if sample is counts else replace(sample, set_aside=True) for sample in taken
        )


def most_calls(bytes_kept: int) -> int:
    """How many calls one sample may have when each consumes a graph of ``bytes_kept`` bytes made
    beforehand.
    """
    return max(1, LIVE_BYTES // max(1, bytes_kept))
