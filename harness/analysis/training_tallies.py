"""How each arm of a training group did over its seeds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from statistics import median

from harness import statistics
from harness.analysis.tallies import Counts, count_outcomes
from harness.analysis.training_groups import TrainingGroup, TrainingPairs
from harness.config.choices import WITHOUT
from harness.records import Interval, Seconds, Status, TrainingFigures
from harness.statistics import Duration, DurationRatio


@dataclass(frozen=True)
class TrainingTally:
    """One arm over its OK seeds. ``steps`` and ``seconds`` to the target are medians; where half of
    the seeds or more missed it, they are the least that the median can be, and not reached.

    Times are None where arms ran side by side. ``steps_ratio`` and ``outperforms`` compare steps to
    the target with the group's reference over the seeds both have.
    """

    implementation: str
    statuses: Counts
    misses: int
    diverged: int
    steps: Duration | None
    seconds: Duration | None
    step_seconds: Seconds | None
    accuracy: float | None
    steps_ratio: DurationRatio | None
    outperforms: Interval | None

    @property
    def seeds(self) -> int:
        return self.statuses.get(Status.OK, 0)

    @property
    def missed(self) -> bool:
        """Whether the median lies among the misses."""
        return self.steps is not None and not self.steps.reached


def training_tallies(group: TrainingGroup) -> list[TrainingTally]:
    return [_tally(group, arm, reference_arm(group)) for arm in group.arms]


def reference_arm(group: TrainingGroup) -> str | None:
    """The arm that others' steps are compared with: the network without normalization, else the
    baseline, if it ran and is not alone.
    """
    if len(group.arms) == 1:
        return None
    return next((arm for arm in (WITHOUT, group.baseline) if arm in group.arms), None)


def steps_ratio(group: TrainingGroup, pairs: TrainingPairs) -> DurationRatio | None:
    """Steps to the target, ours over theirs; None where both always missed, or none is paired."""
    steps = [(_steps(ours, group), _steps(theirs, group)) for ours, theirs in pairs]
    return _duration_ratio(steps, group.alpha)


def time_ratio(group: TrainingGroup, pairs: TrainingPairs) -> DurationRatio | None:
    """The same of seconds to the target."""
    seconds = [(_seconds(ours, group), _seconds(theirs, group)) for ours, theirs in pairs]
    return _duration_ratio(seconds, group.alpha)


def _steps(run: TrainingFigures, group: TrainingGroup) -> Duration:
    reached = run.steps_to_target
    return (
        Duration(reached)
        if reached is not None
        else Duration(group.definition.steps, reached=False)
    )


def _seconds(run: TrainingFigures, group: TrainingGroup) -> Duration:
    """After a miss, of all steps at the run's own pace."""
    if run.seconds_to_target is not None:
        return Duration(run.seconds_to_target)
    return Duration(group.definition.steps * (run.seconds_per_step or 0.0), reached=False)


def _duration_ratio(
    pairs: Sequence[tuple[Duration, Duration]], alpha: float
) -> DurationRatio | None:
    if not pairs:
        return None
    ours, theirs = zip(*pairs, strict=True)
    return statistics.duration_ratio(ours, theirs, alpha)


def _outperforms(pairs: TrainingPairs, alpha: float) -> Interval | None:
    ours = [pair[0].steps_to_target for pair in pairs]
    theirs = [pair[1].steps_to_target for pair in pairs]
    if set(ours) | set(theirs) <= {None}:
        return None
    return statistics.outperformance(ours, theirs, alpha)


def _tally(group: TrainingGroup, arm: str, reference: str | None) -> TrainingTally:
    figures = list(group.figures_of(arm).values())
    steps = [_steps(run, group) for run in figures]
    seconds = [_seconds(run, group) for run in figures] if group.timed else []
    pairs = [] if reference is None or reference == arm else group.pairs(arm, reference)
    return TrainingTally(
        arm,
        count_outcomes(record.status for record in group.arms[arm].values()),
        sum(not duration.reached for duration in steps),
        sum(run.diverged_at is not None for run in figures),
        _median_duration(steps),
        _median_duration(seconds),
        _median_time(run.seconds_per_step for run in figures),
        _median(run.final_accuracy for run in figures),
        steps_ratio(group, pairs),
        _outperforms(pairs, group.alpha),
    )


def _median_duration(durations: Sequence[Duration]) -> Duration | None:
    """Not reached where a miss is among those that decide it: then it is the least that it can
    be.
    """
    if not durations:
        return None
    longest = median(one.value if one.reached else inf for one in durations)
    if isfinite(longest):
        return Duration(longest)
    return Duration(median(one.value for one in durations), reached=False)


def _median(values: Iterable[float | None]) -> float | None:
    present = [value for value in values if value is not None]
    return median(present) if present else None


def _median_time(values: Iterable[float | None]) -> Seconds | None:
    found = _median(values)
    return None if found is None else Seconds(found)
