"""Before its blocks an arm is warmed up until it is steady: `harness.statistics.is_steady` decides
when.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil

from harness.statistics import is_steady
from harness.timing.calibration import Sampler, calibrate

GROUPS = 5  # groups of calls, while warming up, that make the length of a sample
WARM_UP_SECONDS = 0.05  # that each of the two windows should last which are compared
# Groups in such a window: few of long calls, and enough of short ones for their noise.
WINDOWS = (3, 10)
LONGEST_WARM_UP = 10  # times the two windows, past which an arm counts as unsteady


@dataclass(frozen=True)
class WarmedUp:
    """An arm before its blocks: calls that make a sample, and the seconds per call of the groups
    that led there.
    """

    calls: int
    groups: Sequence[float]
    steady: bool


def warm_up(
    sampler: Sampler,
    arm: str,
    least_seconds: float,
    most_calls: int,
    in_time: Callable[[], bool] = lambda: True,
) -> WarmedUp:
    """Calibrate an arm, and call it until groups of calls last as long as those before them, or
    beyond the two windows that are compared the time is up.
    """
    calls = calibrate(sampler, arm, least_seconds / GROUPS, most_calls)
    groups = [sampler.sample(arm, calls, 0).seconds / calls]
    compared = window(groups[0] * calls)
    while (
        not (steady := is_steady(groups, compared))
        and len(groups) < LONGEST_WARM_UP * 2 * compared
        and (len(groups) < 2 * compared or in_time())
    ):
        groups.append(sampler.sample(arm, calls, 0).seconds / calls)
    newest = sorted(groups[-GROUPS:])[GROUPS // 2]
    enough = ceil(least_seconds / newest) if newest > 0 else calls * GROUPS
    return WarmedUp(min(max(enough, calls), most_calls), groups, steady)


def window(seconds: float) -> int:
    """How many groups that last so long make one of the two windows that are compared."""
    return min(max(ceil(WARM_UP_SECONDS / max(seconds, 1e-9)), WINDOWS[0]), WINDOWS[1])
