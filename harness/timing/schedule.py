"""The order of samples in a block: every arm once, in an order drawn anew. A sample that waited for
a CPU is taken again.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from harness.timing.calibration import Sampler
from harness.timing.messages import TimingResult

LIVE_BYTES = 1 << 30  # of graphs that an untimed `arm` may pile up for the calls of one sample
# The share of a sample that its threads may have waited for a CPU: less than any margin worth
# testing.
MOST_WAITED = 0.02
# Tries of a sample that waited longer: another process's time slice is 4 ms and seldom hits twice.
SAMPLE_ATTEMPTS = 3
# Every other block has this many times the calls, so that time has a slope over their number.
SLOPE = 2


@dataclass(frozen=True)
class ScheduledSample:
    """One timed group of calls. ``retaken`` says that it waited for a CPU, and another try of it
    counts.
    """

    arm: str
    block: int
    calls: int
    result: TimingResult
    retaken: bool = False

    @property
    def waited_too_long(self) -> bool:
        return (self.result.waited or 0.0) > MOST_WAITED


def block(
    sampler: Sampler,
    calls: Mapping[str, int],
    index: int,
    order: random.Random,
    most_calls: int,
    in_time: Callable[[], bool] = lambda: True,
) -> Iterator[ScheduledSample]:
    """Sample every arm, in an order drawn anew: in every other block ``SLOPE`` times the calls,
    where memory allows.

    A sample that waited for a CPU is taken again at once, up to ``SAMPLE_ATTEMPTS`` times as long
    as there is time, and the one that waited least counts: that judges by the kernel's account and
    never by the time itself.
    """
    times = SLOPE if index % 2 and max(calls.values()) * SLOPE <= most_calls else 1
    for arm in order.sample(sorted(calls), len(calls)):
        timed = calls[arm] * times
        yield from _sample_until_undisturbed(sampler, arm, index, timed, calls[arm], in_time)


def _sample_until_undisturbed(
    sampler: Sampler, arm: str, index: int, calls: int, untimed: int, in_time: Callable[[], bool]
) -> Iterator[ScheduledSample]:
    """Every attempt, all but the one that waited least marked as retaken."""
    attempts: list[ScheduledSample] = []
    while not attempts or (
        attempts[-1].waited_too_long and len(attempts) < SAMPLE_ATTEMPTS and in_time()
    ):
        result = sampler.sample(arm, calls, untimed)
        attempts.append(ScheduledSample(arm, index, calls, result))
    best = min(attempts, key=lambda sample: sample.result.waited or 0.0)
    for sample in attempts:
        yield sample if sample is best else replace(sample, retaken=True)


def most_calls(bytes_kept: int) -> int:
    """How many calls one sample may have when each consumes a graph of ``bytes_kept`` bytes made
    beforehand.
    """
    return max(1, LIVE_BYTES // max(1, bytes_kept))
