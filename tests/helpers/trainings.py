"""Trainings made up for tests: what `synthetic` trains, with accuracies, losses and times of one's
own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from harness.analysis.training_groups import TrainingGroup, training_groups
from harness.records import Seconds, Status, TrainingRecord, TrainingStep
from tests.helpers import synthetic

SEEDS = tuple(range(8))


def trained(
    arms: Sequence[str] = ("torch_native", "numpy"), seeds: Sequence[int] = SEEDS, **given: Any
) -> list[TrainingRecord]:
    """As `synthetic.convergence`; losses are float32, the same in all arms of a seed."""
    made = synthetic.convergence(arms, seeds, **given)
    return [with_losses(record, lambda _, loss: float(np.float32(loss))) for record in made]


def with_figures(record: TrainingRecord, **figures: Any) -> TrainingRecord:
    """The record with other figures."""
    assert record.figures is not None
    return replace(record, figures=replace(record.figures, **figures))


def with_pace(record: TrainingRecord, seconds: float) -> TrainingRecord:
    """The record at so many seconds a step."""
    assert record.figures is not None
    steps = record.figures.steps_to_target
    return with_figures(
        record,
        seconds_per_step=Seconds(seconds),
        seconds_to_target=None if steps is None else Seconds(steps * seconds),
    )


def with_cell(record: TrainingRecord, **fields: Any) -> TrainingRecord:
    """The record with another cell."""
    identity = replace(record.identity, cell=replace(record.cell, **fields))
    return replace(record, identity=identity)


def with_steps(
    record: TrainingRecord, change: Callable[[TrainingStep], TrainingStep]
) -> TrainingRecord:
    """The record with each of its steps changed."""
    return replace(record, samples=tuple(map(change, record.samples)))


def with_losses(record: TrainingRecord, losses: Callable[[int, float], float]) -> TrainingRecord:
    """The record with other losses, made of the step and the loss that it has."""
    return with_steps(record, lambda step: replace(step, loss=losses(step.step, step.loss)))


def rounded_from(record: TrainingRecord, step: int, ulps: int = 1) -> TrainingRecord:
    """From ``step`` on the losses are so many float32 numbers higher."""

    def losses(at: int, loss: float) -> float:
        bits = np.array(loss, np.float32).view(np.int32)
        return float((bits + (ulps if at >= step else 0)).view(np.float32))

    return with_losses(record, losses)


def with_accuracies(
    records: Sequence[TrainingRecord], accuracies: Mapping[str, Sequence[float | None]]
) -> list[TrainingRecord]:
    """The records with these test accuracies, by arm and seed."""
    return [
        with_figures(record, final_accuracy=accuracies[record.implementation][record.cell.seed])
        if record.implementation in accuracies
        else record
        for record in records
    ]


def failing(
    records: Sequence[TrainingRecord], status: Status, runs: Sequence[tuple[str, int]]
) -> list[TrainingRecord]:
    """The records, with this status and nothing measured in some runs, each an arm and a seed."""
    return [
        replace(record, status=status, reason="it is made up", figures=None, samples=())
        if (record.implementation, record.cell.seed) in runs
        else record
        for record in records
    ]


def untimed(records: Sequence[TrainingRecord]) -> list[TrainingRecord]:
    """The records as if their arms had run side by side."""
    times = ("seconds_per_step", "seconds_to_target", "samples_per_second", "first_step_seconds")
    return [_untimed(with_figures(record, **dict.fromkeys(times))) for record in records]


def group_of(records: Sequence[TrainingRecord]) -> TrainingGroup:
    """The only group of these records."""
    [group] = training_groups(records)
    return group


def _untimed(record: TrainingRecord) -> TrainingRecord:
    return with_steps(with_cell(record, timed=False), lambda step: replace(step, seconds=None))
