"""Two sessions held against each other, as tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, assert_never

from harness import formatting
from harness.analysis.changes import Change
from harness.analysis.session_comparison import (
    AlarmWithdrawn,
    Comparison,
    Explanation,
    ForbiddenByFlags,
    OutcomeChange,
    TooFewLaunches,
)
from harness.records import Status
from harness.report.labels import describe
from harness.report.terminal import style
from harness.report.terminal.fitting import Column, FittingTable, Row, break_up, drop
from harness.report.terminal.wrapping import Breaks

if TYPE_CHECKING:
    from rich.console import RenderableType

COUNTED = (Change.UNCHANGED, Change.ADDED, Change.REMOVED)  # and not listed
COLUMNS = (
    Column("implementation", Breaks.NAMES, most=30),
    Column("after / before", Breaks.RATIOS, whole=True),
    Column("outcome", markup=True),
    Column("note", Breaks.WORDS, most=60),
)
# What a narrow terminal goes without, in this order.
NARROWER = (break_up("after / before"), drop("after / before"))


def comparison_table(comparisons: Sequence[Comparison]) -> RenderableType:
    """Under each cell what changed in it; what did not, or stands in one session only, is
    counted.
    """
    from rich.console import Group

    cells: dict[str, list[Comparison]] = {}
    for found in comparisons:
        if found.change not in COUNTED:
            cells.setdefault(describe(found.record), []).append(found)
    counts = Counter(style.coloured(found.change) for found in comparisons)
    changes = ", ".join(f"{change} {count}" for change, count in counts.items())
    return Group(
        *(_table(cell, changed) for cell, changed in cells.items()),
        f"{changes or 'nothing to compare'}. Ratios are of the times relative to the baseline of "
        "each session.",
    )


def explain(explanation: Explanation | None) -> str:
    """Why a comparison came to what it did."""
    match explanation:
        case None:
            return ""
        case OutcomeChange(before, after, _) if after == Status.OK:
            return f"{before} → {after}"
        case OutcomeChange(before, after, reason):
            return f"{before} → {after}: {reason or 'the comparison proves too little'}"
        case AlarmWithdrawn(change):
            return f"{change} before Holm"
        case ForbiddenByFlags(flags):
            return f"no verdict: {', '.join(flags)}"
        case TooFewLaunches():
            return "fewer than two launches beside the baseline"
        case _:
            assert_never(explanation)


def _table(cell: str, changed: Sequence[Comparison]) -> FittingTable:
    rows = (
        Row(
            (
                found.implementation,
                formatting.bounded(found.ratio) if found.ratio else "",
                style.coloured(found.change),
                formatting.line(explain(found.explanation)),
            )
        )
        for found in changed
    )
    return FittingTable(cell, COLUMNS, tuple(rows), NARROWER)
