"""Races made up for tests: what `synthetic` trains, with accuracies, losses and times of
one's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from harness.records import Record, Status
from harness.report.views import Race, races
from tests.helpers import synthetic

SEEDS = tuple(range(8))


def trained(
    arms: Sequence[str] = ("torch_native", "numpy"), seeds: Sequence[int] = SEEDS, **given: Any
) -> list[Record]:
    """As `synthetic.convergence`; losses are float32, the same in all arms of a seed."""
    made = synthetic.convergence(arms, seeds, **given)
    return [changed(record, losses=lambda step, loss: float(np.float32(loss))) for record in made]


def changed(
    record: Record,
    *,
    losses: Callable[[int, float], float] | None = None,
    about: Mapping[str, Any] | None = None,
    more: Callable[[int], Mapping[str, Any]] | None = None,
    **figures: Any,
) -> Record:
    """The record with other figures, other losses by step, and more in its cell and in each
    sample.
    """
    samples = [
        {
            **sample,
            "loss": losses(sample["step"], sample["loss"]) if losses else sample["loss"],
            **(more(sample["step"]) if more else {}),
        }
        for sample in record.samples
    ]
    identity = replace(record.identity, cell={**record.cell, **(about or {})})
    return replace(
        record, identity=identity, samples=samples, figures={**(record.figures or {}), **figures}
    )


def ending(
    records: Sequence[Record], accuracies: Mapping[str, Sequence[float | None]]
) -> list[Record]:
    """The records with these test accuracies, by arm and seed."""
    return [
        changed(record, final_accuracy=accuracies[record.implementation][record.cell["seed"]])
        if record.implementation in accuracies
        else record
        for record in records
    ]


def failing(
    records: Sequence[Record], status: Status, runs: Sequence[tuple[str, int]]
) -> list[Record]:
    """The records, with this status and nothing measured in some runs, each an arm and a seed."""
    return [
        replace(record, status=status, reason="it is made up", figures=None, samples=[])
        if (record.implementation, record.cell["seed"]) in runs
        else record
        for record in records
    ]


def untimed(records: Sequence[Record]) -> list[Record]:
    """The records as if their arms had run side by side."""
    absent = dict.fromkeys(
        ("seconds_per_step", "seconds_to_target", "samples_per_second", "first_step_seconds")
    )
    return [
        changed(record, about={"timed": False}, more=lambda _: {"seconds": None}, **absent)
        for record in records
    ]


def race(records: Sequence[Record]) -> Race:
    return races(records)[0]
