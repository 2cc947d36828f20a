"""A table of trainings: how soon each arm reached the target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import formatting
from harness.analysis.training_groups import TrainingGroup
from harness.analysis.training_tallies import TrainingTally, reference_arm, training_tallies
from harness.records import Status
from harness.report import phrases
from harness.report.labels import group_title
from harness.report.terminal import style

if TYPE_CHECKING:
    from rich.table import Table


def table(group: TrainingGroup) -> Table:
    """A row an arm."""
    goal = f"to {formatting.percent(group.definition.target)} validation accuracy"
    table = style.table(f"{group_title(group)}, {goal}; medians over seeds")
    table.add_column("arm", overflow="fold", min_width=style.NAME)
    for title in ("steps", "missed", "time", "a step", "accuracy"):
        table.add_column(title, justify="right")
    reference = reference_arm(group)
    if reference:
        table.add_column(f"steps to {style.literal(reference)}'s", no_wrap=True)
    table.add_column("other")
    for tally in training_tallies(group):
        ratio = formatting.bounded(tally.steps_ratio) if tally.steps_ratio else ""
        table.add_row(
            style.literal(tally.implementation),
            phrases.median_steps(tally.steps, group.definition.steps),
            f"{tally.misses} of {tally.seeds}",
            formatting.seconds(tally.seconds),
            formatting.seconds(tally.step_seconds),
            phrases.accuracy(tally.accuracy),
            *([ratio] if reference else []),
            _other(tally),
        )
    return table


def _other(tally: TrainingTally) -> str:
    """How many seeds diverged, and what became of those that are not OK."""
    diverged = [f"diverged {tally.diverged}"] if tally.diverged else []
    statuses = (
        f"{style.coloured(status)} {count}"
        for status, count in tally.statuses.items()
        if status != Status.OK
    )
    return ", ".join([*diverged, *statuses])
