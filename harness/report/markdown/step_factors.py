"""A table of time to the target as steps × time a step."""

from __future__ import annotations

from harness import formatting
from harness.analysis.step_factors import StepFactors, step_factors
from harness.analysis.training_groups import TrainingGroup
from harness.report import phrases

HEADER = ("arm", "relative to", "steps ×", "time a step ×", "time to target ×")


def table(group: TrainingGroup) -> str | None:
    """A row a pair of arms: the factors of the time to the target, and the whole. None where there
    is no pair.
    """
    rows = list(map(_row, step_factors(group)))
    return formatting.columns(HEADER, rows, right=range(2, len(HEADER))) if rows else None


def _row(factors: StepFactors) -> list[str]:
    arm, against = formatting.code(factors.implementation), formatting.code(factors.against)
    return [
        arm,
        against,
        phrases.duration_ratio(factors.steps, arm, against),
        formatting.bounded_or_absent(factors.step_time),
        phrases.duration_ratio(factors.total_time, arm, against),
    ]
