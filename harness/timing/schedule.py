"""The order of things in one launch: calibrate each arm, warm it until it is steady, then blocks of
all arms.

Pure of processes and clocks: a `Sampler` does the sampling, so that a test proves the order with
one of its own.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Protocol

from harness.statistics import is_steady
from harness.timing.messages import TimingResult

GROWTH = 10  # at most tenfold at a time: a first call may be slow for reasons that do not last
LIVE_BYTES = 1 << 30  # of graphs that an untimed `arm` may pile up for the calls of one sample
GROUPS = 5  # groups of calls, while warming up, that make the length of a sample
WARM_UP_SECONDS = 0.05  # that the windows of groups should last which are compared with each other
# groups in such a window: few of long calls, and enough of short ones for their noise
WINDOWS = (3, 10)
LONGEST_WARM_UP = 10  # times the two windows, past which an arm counts as unsteady
# The share of a sample that its threads may have waited for a CPU: less than any margin worth
# testing.
WAITED = 0.02
# At a sample that waited longer: one slice of another process's is 4 ms, and seldom comes twice.
ATTEMPTS = 3
# Every other block has this many times the calls, so that time has a slope over their number.
SLOPE = 2


class Sampler(Protocol):
    """What takes samples of arms: a launch, or a stand-in with a clock of its own."""

    def sample(self, arm: str, calls: int, untimed: int) -> TimingResult:
        """``calls`` calls of ``arm`` timed together, after ``untimed`` ones."""


@dataclass(frozen=True)
class ScheduledSample:
    """One timed group of calls. ``set_aside`` says that it waited for a CPU, and another was taken
    in its place.
    """

    arm: str
    block: int
    calls: int
    result: TimingResult
    set_aside: bool = False

    @property
    def waited(self) -> bool:
        return (self.result.waited or 0.0) > WAITED


@dataclass(frozen=True)
class WarmedUp:
    """An arm before its blocks: calls that make a sample, and the seconds per call of the groups
    that led there.
    """

    calls: int
    groups: Sequence[float]
    steady: bool


def calibrate(sampler: Sampler, arm: str, least_seconds: float, most_calls: int) -> int:
    """How many calls make a sample of ``least_seconds``: enough that the clock's resolution is far
    under 1 % of it.
    """
    calls = 1
    while True:
        seconds = sampler.sample(arm, calls, calls).seconds
        if seconds >= least_seconds or calls >= most_calls:
            return calls
        wanted = ceil(calls * 1.1 * least_seconds / seconds) if seconds > 0 else calls * GROWTH
        calls = min(max(wanted, calls + 1), calls * GROWTH, most_calls)


def warm_up(sampler: Sampler, arm: str, least_seconds: float, most_calls: int) -> WarmedUp:
    """Calibrate an arm, and call it until groups of calls last as long as those before them."""
    calls = calibrate(sampler, arm, least_seconds / GROUPS, most_calls)
    groups = [sampler.sample(arm, calls, 0).seconds / calls]
    window = min(max(ceil(WARM_UP_SECONDS / max(groups[0] * calls, 1e-9)), WINDOWS[0]), WINDOWS[1])
    while not (steady := is_steady(groups, window)) and len(groups) < LONGEST_WARM_UP * 2 * window:
        groups.append(sampler.sample(arm, calls, 0).seconds / calls)
    newest = sorted(groups[-GROUPS:])[GROUPS // 2]
    enough = ceil(least_seconds / newest) if newest > 0 else calls * GROUPS
    return WarmedUp(min(max(enough, calls), most_calls), groups, steady)


def block(
    sampler: Sampler, calls: Mapping[str, int], index: int, order: random.Random, most_calls: int
) -> Iterator[ScheduledSample]:
    """Sample every arm, in an order drawn anew: in every other block ``SLOPE`` times the calls,
    where memory allows.

    A sample that waited for a CPU is taken again at once, up to ``ATTEMPTS`` times, and the one
    that waited least counts: that judges by the kernel's account and never by the time itself.
    """
    times = SLOPE if index % 2 and max(calls.values()) * SLOPE <= most_calls else 1
    for arm in order.sample(sorted(calls), len(calls)):
        yield from _sample_until_undisturbed(sampler, arm, index, calls[arm] * times, calls[arm])


def _sample_until_undisturbed(
    sampler: Sampler, arm: str, index: int, calls: int, untimed: int
) -> Iterator[ScheduledSample]:
    """Every attempt, all but the one that waited least set aside."""
    attempts: list[ScheduledSample] = []
    while not attempts or (attempts[-1].waited and len(attempts) < ATTEMPTS):
        result = sampler.sample(arm, calls, untimed)
        attempts.append(ScheduledSample(arm, index, calls, result))
    best = min(attempts, key=lambda sample: sample.result.waited or 0.0)
    for sample in attempts:
        yield sample if sample is best else replace(sample, set_aside=True)


def most_calls(bytes_kept: int) -> int:
    """How many calls one sample may have when each consumes a graph of ``bytes_kept`` bytes made
    beforehand.
    """
    return max(1, LIVE_BYTES // max(1, bytes_kept))
