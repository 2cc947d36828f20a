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

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

COUNTED = (Change.UNCHANGED, Change.ADDED, Change.REMOVED)  # and not listed
COLUMNS = {"implementation": 18, "after / before": 20, "outcome": 10, "note": 42}  # title: width


def comparison_table(comparisons: Sequence[Comparison]) -> RenderableType:
    """Under each cell what changed in it, in at most 120 columns; what did not, or stands in one
    session only, is counted.
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


def _table(cell: str, changed: Sequence[Comparison]) -> Table:
    from rich.markup import escape

    table = style.table(escape(cell))
    for title, width in COLUMNS.items():
        table.add_column(title, width=width, overflow="fold")
    for found in changed:
        table.add_row(
            escape(found.implementation),
            formatting.bounded(found.ratio) if found.ratio else "",
            style.coloured(found.change),
            escape(formatting.line(explain(found.explanation))),
        )
    return table
