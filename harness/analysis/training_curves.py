"""Curves of trainings by step, and the middle of several."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from statistics import median

from harness.analysis.training_groups import TrainingGroup
from harness.records import TrainingStep

POINTS = 200  # of a curve; of more, neighbours are taken together
Curve = Mapping[int, float]  # by step
Quantity = Callable[[TrainingStep], float | None]


def curves_by_arm(group: TrainingGroup, quantity: Quantity) -> dict[str, list[Curve]]:
    """Of each arm, the curve of each seed that has any value of this quantity."""
    curves: dict[str, list[Curve]] = {}
    for arm, records in group.arms.items():
        found = (_curve(record.samples, quantity) for record in records.values() if record.figures)
        curves[arm] = [curve for curve in found if curve]
    return curves


def middle_of(curves: Sequence[Curve]) -> tuple[list[int], list[float]]:
    """The steps that all curves have, and the median there; where they are many, over neighbouring
    steps too.

    The loss of a batch is noisy, and would hide one arm behind another.
    """
    if not curves:
        return [], []
    common = set[int].intersection(*map(set, curves))
    steps = [step for step in curves[0] if step in common]
    reach = len(steps) // POINTS
    values = [_values_at(step, curves) for step in steps]
    near = (chain(*values[max(at - reach, 0) : at + reach + 1]) for at in range(len(values)))
    return steps, [median(several) for several in near]


def _values_at(step: int, curves: Sequence[Curve]) -> list[float]:
    return [curve[step] for curve in curves]


def _curve(samples: Sequence[TrainingStep], quantity: Quantity) -> Curve:
    """Old records lack some quantities, and some are not recorded at each step."""
    values = ((sample.step, quantity(sample)) for sample in samples)
    return {step: value for step, value in values if value is not None}
