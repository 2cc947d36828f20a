"""Before its blocks an arm is calibrated, so that a sample is long enough to time, and warmed up
until it is steady: `harness.statistics.is_steady` decides when.

Pure of processes and clocks: a `Sampler` does the sampling, so that a test can give one of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Protocol

from harness.statistics import is_steady
from harness.timing.messages import TimingResult

GROWTH = 10  # at most tenfold at a time: a first call may be slow for reasons that do not last
GROUPS = 5  # groups of calls, while warming up, that make the length of a sample
WARM_UP_SECONDS = 0.05  # that each of the two windows should last which are compared
# Groups in such a window: few of long calls, and enough of short ones for their noise.
WINDOWS = (3, 10)
LONGEST_WARM_UP = 10  # times the two windows, past which an arm counts as unsteady


class Sampler(Protocol):
    """What takes samples of arms: a launch, or a stand-in with a clock of its own."""

    def sample(self, arm: str, calls: int, untimed: int) -> TimingResult:
        """``calls`` calls of ``arm`` timed together, after ``untimed`` ones."""


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
