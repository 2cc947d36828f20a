"""A table of trainings: how soon each arm reached the target."""

from __future__ import annotations

from dataclasses import replace

from harness import formatting
from harness.analysis.training_groups import TrainingGroup
from harness.analysis.training_tallies import TrainingTally, reference_arm, training_tallies
from harness.records import Status
from harness.report import phrases
from harness.report.labels import group_title
from harness.report.terminal import style
from harness.report.terminal.fitting import Column, FittingTable, Layout, Row, break_up, drop
from harness.report.terminal.wrapping import Breaks

RATIO = "ratio of steps"


def _without_who_missed(layout: Layout) -> Layout:
    """Ratios without the words in parentheses, which the misses of each arm say too."""
    at = layout.index(RATIO)
    rows = (
        replace(row, cells=(*row.cells[:at], row.cells[at].split(" (")[0], *row.cells[at + 1 :]))
        for row in layout.rows
    )
    return replace(layout, rows=tuple(rows))


# What a narrow terminal goes without, in this order.
NARROWER = (
    drop("a step"),
    drop("time"),
    _without_who_missed,
    break_up(RATIO),
    drop("accuracy"),
    drop("steps"),
    drop("missed"),
)


def table(group: TrainingGroup) -> FittingTable:
    """A row an arm."""
    goal = f"to {formatting.percent(group.definition.target)} validation accuracy"
    reference = reference_arm(group)
    columns = (
        Column("arm", Breaks.NAMES),
        *(Column(title, right=True) for title in ("steps", "missed", "time", "a step", "accuracy")),
        Column(RATIO, Breaks.RATIOS, whole=True),
        Column("other", Breaks.WORDS, markup=True),
    )
    rows = tuple(_row(tally, reference) for tally in training_tallies(group))
    caption = f"{RATIO}: to those of {reference}" if reference else ""
    title = f"{group_title(group)}, {goal}; medians over seeds"
    if reference:
        return FittingTable(title, columns, rows, NARROWER, caption)
    return FittingTable(title, columns, rows, NARROWER[:2]).without(RATIO)


def _row(tally: TrainingTally, reference: str | None) -> Row:
    arm = tally.implementation
    return Row(
        (
            arm,
            phrases.median_steps(tally.steps),
            f"{tally.misses} of {tally.seeds}",
            phrases.median_seconds(tally.seconds),
            formatting.seconds(tally.step_seconds),
            phrases.accuracy(tally.accuracy),
            phrases.duration_ratio(tally.steps_ratio, f"'{arm}'", f"'{reference}'"),
            _other(tally),
        )
    )


def _other(tally: TrainingTally) -> str:
    """How many seeds diverged, and what became of those that are not OK."""
    diverged = [f"diverged {tally.diverged}"] if tally.diverged else []
    statuses = (
        f"{style.coloured(status)} {count}"
        for status, count in tally.statuses.items()
        if status != Status.OK
    )
    return ", ".join([*diverged, *statuses])
