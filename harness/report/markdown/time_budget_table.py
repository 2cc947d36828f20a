"""Where a session's wall time went, as a table."""

from __future__ import annotations

from harness import formatting
from harness.analysis.time_budget import TimeBudget
from harness.records import Seconds

HEADER = ("spent on", "time", "share")


def table(budget: TimeBudget) -> str:
    """A row an activity: seconds, and share of the wall time."""
    spent = budget.spent
    rows = (
        ("timed calls", spent.timed),
        ("untimed calls: warm-up, and those before each sample", spent.untimed),
        ("preparing implementations, with compiling and first calls", spent.preparing),
        ("harness: checking results, and measuring memory", spent.checking),
        ("harness: starting processes", spent.starting),
        ("harness: the rest: watching the machine, talking to workers, clearing up", budget.rest),
        ("**the harness in all**", spent.own),
        ("**wall**", spent.wall),
    )
    return formatting.columns(HEADER, [_row(budget, *row) for row in rows], right=(1, 2))


def _row(budget: TimeBudget, activity: str, spent: Seconds) -> list[str]:
    return [activity, formatting.seconds(spent), formatting.percent(budget.share(spent))]
