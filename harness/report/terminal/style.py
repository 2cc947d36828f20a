"""What all tables of a terminal share: their width, and a colour for each outcome."""

from __future__ import annotations

from typing import assert_never

from harness.analysis.changes import Change
from harness.analysis.outcomes import AnyOutcome, Qualified, WithoutVerdict
from harness.records import Status, Verdict

WIDTH = 120  # columns that tables have where neither a terminal nor COLUMNS says how many


def literal(text: str) -> str:
    """A text that is shown as it is, where markup is expected: a name from outside, say."""
    from rich.markup import escape

    return escape(text)


def coloured(outcome: AnyOutcome | Change, text: str | None = None) -> str:
    """The outcome, or the ``text`` in its place, in markup of its colour."""
    colour = colour_of_change(outcome) if isinstance(outcome, Change) else colour_of(outcome)
    return f"[{colour}]{text or outcome}[/]"


def colour_of(outcome: AnyOutcome) -> str:
    """What failed is red. The type checker asks here for a colour of each new outcome."""
    match outcome:
        case Status.OK | Verdict.FASTER:
            return "green"
        case Verdict.SAME:
            return "cyan"
        case Verdict.AMBIGUOUS | WithoutVerdict.NO_VERDICT | WithoutVerdict.NO_RATIO:
            return "yellow"
        case Qualified.DECLARED | Qualified.MISTRUSTED:
            return "yellow"
        case Status.UNSUPPORTED | Status.UNAVAILABLE:
            return "dim"
        case Status.WRONG | Status.CRASHED | Status.TIMEOUT | Verdict.SLOWER:
            return "red"
        case _:
            assert_never(outcome)


def colour_of_change(change: Change) -> str:
    match change:
        case Change.FASTER | Change.MENDED:
            return "green"
        case Change.SAME:
            return "cyan"
        case Change.AMBIGUOUS | Change.REMOVED:
            return "yellow"
        case Change.UNCHANGED | Change.ADDED:
            return "dim"
        case Change.SLOWER | Change.BROKEN:
            return "red"
        case _:
            assert_never(change)
