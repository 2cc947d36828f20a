"""Time to the target as steps × time a step, so that another path can be
distinguished from another kernel.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness import statistics
from harness.analysis.training_groups import TrainingGroup, TrainingPairs
from harness.analysis.training_tallies import reference_arm, steps_ratio, time_ratio
from harness.config.choices import WITHOUT
from harness.records import Interval
from harness.statistics import DurationRatio


@dataclass(frozen=True)
class StepFactors:
    """One arm against another over the seeds both have: ratios, below 1 where the arm is ahead.

    ``steps`` and ``total_time`` are to the target, medians over seeds, and None where neither arm
    ever reached it. ``step_time`` is the geometric mean of time a
    step, None for a single seed. Where arms ran side by side both times are None.
    """

    implementation: str
    against: str
    steps: DurationRatio | None
    step_time: Interval | None
    total_time: DurationRatio | None


def step_factors(group: TrainingGroup) -> list[StepFactors]:
    """Every arm against the group's reference, and against the baseline where that is another."""
    reference = reference_arm(group)
    if reference is None:
        return []
    others = [other for other in (reference, group.baseline) if other in group.arms]
    return [
        _factors(group, arm, other)
        for other in dict.fromkeys(others)
        for arm in group.arms
        if arm not in {other, WITHOUT}
    ]


def factors_between(group: TrainingGroup, arm: str, other: str) -> StepFactors | None:
    """The same of one pair; None where it is not among them."""
    for factors in step_factors(group):
        if (factors.implementation, factors.against) == (arm, other):
            return factors
    return None


def _factors(group: TrainingGroup, arm: str, other: str) -> StepFactors:
    pairs = group.pairs(arm, other)
    return StepFactors(
        arm,
        other,
        steps_ratio(group, pairs),
        _step_time(pairs, group.alpha),
        time_ratio(group, pairs) if group.timed else None,
    )


def _step_time(pairs: TrainingPairs, alpha: float) -> Interval | None:
    known = [
        (ours.seconds_per_step, theirs.seconds_per_step)
        for ours, theirs in pairs
        if ours.seconds_per_step is not None and theirs.seconds_per_step is not None
    ]
    return statistics.pace_ratio([ours for ours, _ in known], [other for _, other in known], alpha)
