"""How each arm of a training group did over its seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import inf, isinf
from statistics import median

from harness import statistics
from harness.analysis.tallies import Counts, count_outcomes
from harness.analysis.training_groups import TrainingGroup, TrainingPairs
from harness.config.choices import WITHOUT
from harness.records import Interval, Seconds, Status

SeedValues = Sequence[float | None]  # of each seed; None is a miss
PairedStatistic = Callable[[SeedValues, SeedValues, float], Interval]


@dataclass(frozen=True)
class TrainingTally:
    """One arm over its OK seeds. A median with half or more of the seeds missing the target is
    infinite.

    Times are None where arms ran side by side. ``steps_ratio`` and ``outperforms`` compare steps to
    the target with the group's reference over the seeds both have.
    """

    implementation: str
    statuses: Counts
    misses: int
    diverged: int
    steps: float | None
    seconds: Seconds | None
    step_seconds: Seconds | None
    accuracy: float | None
    steps_ratio: Interval | None
    outperforms: Interval | None

    @property
    def seeds(self) -> int:
        return self.statuses.get(Status.OK, 0)

    @property
    def missed(self) -> bool:
        """Whether the median lies among the misses."""
        return self.steps is not None and isinf(self.steps)


def training_tallies(group: TrainingGroup) -> list[TrainingTally]:
    return [_tally(group, arm, reference_arm(group)) for arm in group.arms]


def reference_arm(group: TrainingGroup) -> str | None:
    """The arm that others' steps are compared with: the network without normalization, else the
    baseline, if it ran and is not alone.
    """
    if len(group.arms) == 1:
        return None
    return next((arm for arm in (WITHOUT, group.baseline) if arm in group.arms), None)


def paired_interval(
    statistic: PairedStatistic, ours: SeedValues, theirs: SeedValues, alpha: float
) -> Interval | None:
    """The statistic of arms paired by seed; None where both always missed, or none is paired."""
    if set(ours) | set(theirs) <= {None}:
        return None
    return statistic(ours, theirs, alpha)


def steps_of(pairs: TrainingPairs) -> tuple[SeedValues, SeedValues]:
    """Steps to the target of both arms, by seed."""
    return (
        [ours.steps_to_target for ours, _ in pairs],
        [theirs.steps_to_target for _, theirs in pairs],
    )


def _tally(group: TrainingGroup, arm: str, reference: str | None) -> TrainingTally:
    figures = list(group.figures_of(arm).values())
    steps = [run.steps_to_target for run in figures]
    seconds = [run.seconds_to_target for run in figures] if group.timed else []
    pairs = [] if reference is None or reference == arm else group.pairs(arm, reference)
    return TrainingTally(
        arm,
        count_outcomes(record.status for record in group.arms[arm].values()),
        steps.count(None),
        sum(run.diverged_at is not None for run in figures),
        _median(_misses_as_infinite(steps)),
        _median_time(_misses_as_infinite(seconds)),
        _median_time(run.seconds_per_step for run in figures),
        _median(run.final_accuracy for run in figures),
        paired_interval(statistics.step_ratio, *steps_of(pairs), group.alpha),
        paired_interval(statistics.outperformance, *steps_of(pairs), group.alpha),
    )


def _misses_as_infinite(values: SeedValues) -> list[float]:
    return [inf if value is None else value for value in values]


def _median(values: Iterable[float | None]) -> float | None:
    present = [value for value in values if value is not None]
    return median(present) if present else None


def _median_time(values: Iterable[float | None]) -> Seconds | None:
    found = _median(values)
    return None if found is None else Seconds(found)
