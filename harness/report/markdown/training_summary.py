"""What a group of trainings came to, in sentences."""

from __future__ import annotations

from harness import formatting
from harness.analysis.equivalence import NetworkComparison, compare_networks
from harness.analysis.step_factors import StepFactors, factors_between
from harness.analysis.training_groups import TrainingGroup
from harness.analysis.training_tallies import TrainingTally, reference_arm, training_tallies
from harness.report import phrases
from harness.report.markdown import equivalence, training


def sentences(group: TrainingGroup) -> list[str]:
    """How every arm did, how implementations of BN compare with the baseline, and what that is
    worth.
    """
    found = [_arm(group, tally) for tally in training_tallies(group)]
    found += [
        _against_baseline(group, one) for one in compare_networks(group) if _has_evidence(one)
    ]
    if training.few_seeds(group):
        found.append(f"So few seeds ({len(group.seeds)}) support no general claim.")
    return found if group.timed else [*found, f"{training.SIDE_BY_SIDE}."]


def _has_evidence(one: NetworkComparison) -> bool:
    return bool(one.seeds or one.divergences)


def _arm(group: TrainingGroup, tally: TrainingTally) -> str:
    name, statuses = formatting.code(tally.implementation), phrases.outcome_counts(tally.statuses)
    if not tally.seeds:
        return f"{name} has no result: {statuses}."
    parts = [_reached(group, tally)]
    if tally.steps_ratio:
        reference = formatting.code(str(reference_arm(group)))
        ratio = phrases.duration_ratio(tally.steps_ratio, name, reference)
        parts.append(f"steps relative to {reference}: {ratio}")
    parts.append(f"test accuracy {training.final_accuracy(tally)}")
    return f"{name} {'; '.join([*parts, *([statuses] if statuses else [])])}."


def _reached(group: TrainingGroup, tally: TrainingTally) -> str:
    """How soon the target was reached, or that it was missed."""
    cell = group.definition
    goal = f"{formatting.percent(cell.target)} validation accuracy"
    if tally.missed:
        return (
            f"**missed** {goal} within {cell.steps:,} steps in {tally.misses} of "
            f"{tally.seeds} seeds"
        )
    steps = phrases.median_steps(tally.steps)
    time = "" if tally.seconds is None else f" ({phrases.median_seconds(tally.seconds)})"
    return (
        f"reached {goal} after a median of {steps} steps{time}, {tally.misses} of {tally.seeds} "
        "seeds missing it"
    )


def _against_baseline(group: TrainingGroup, one: NetworkComparison) -> str:
    """An implementation against the baseline: how fast along which path, and to the same end or
    another.
    """
    arm, baseline = formatting.code(one.implementation), formatting.code(group.baseline)
    factors = factors_between(group, one.implementation, group.baseline)
    parts = [*_factors(factors, arm, baseline), equivalence.sentence(group, one)]
    return f"{arm} against {baseline}: {'; '.join(parts)}."


def _factors(factors: StepFactors | None, arm: str, baseline: str) -> list[str]:
    """The factors in parts of a sentence, or nothing where there are none."""
    if factors is None or factors.steps is None:
        return []
    parts = [f"steps {phrases.duration_ratio(factors.steps, arm, baseline)}"]
    if factors.step_time:
        parts.append(f"time a step {formatting.bounded(factors.step_time)}")
    if factors.total_time:
        total = phrases.duration_ratio(factors.total_time, arm, baseline)
        parts.append(f"time to target {total}")
    return [f"ratios of {', '.join(parts)}"] if len(parts) > 1 else [f"ratio of {parts[0]}"]
