"""What a gate found: the verdict, what is wrong, what is undecided, and counts of the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, assert_never

from harness import formatting
from harness.analysis.gate_counts import GateCount, of_agreement
from harness.analysis.gate_facts import GateCell, GateFacts
from harness.analysis.gate_outcomes import GateOutcome, GateVerdict
from harness.instruction_counts import Agreement
from harness.report import gate_counts
from harness.report.gate_words import (
    FOLDED,
    LOUD,
    SEEN,
    common_conditions,
    of_outcome,
    place,
    rule,
    sides,
    times,
    verdict_sentence,
)
from harness.report.terminal.fitting import Column, FittingTable, Row, break_up, drop
from harness.report.terminal.wrapping import Breaks

if TYPE_CHECKING:
    from rich.console import RenderableType

COLUMNS = (
    Column("implementation", Breaks.NAMES, most=30),
    Column("problem", Breaks.WORDS, most=40),
    Column("base", right=True),
    Column("head", right=True),
    Column("head / base", Breaks.RATIOS, whole=True),
    Column("MDE", right=True),
    Column("outcome", markup=True),
    Column("note", Breaks.WORDS, most=40),
)
COUNT_COLUMNS = (
    Column(gate_counts.HEADER[0], Breaks.NAMES, most=30),
    Column(gate_counts.HEADER[1], Breaks.WORDS, most=40),
    *(Column(name, Breaks.WORDS, right=True) for name in gate_counts.HEADER[2:6]),
    Column(gate_counts.HEADER[6]),
    Column(gate_counts.HEADER[7], Breaks.WORDS, most=40),
)
COUNTS_NARROWER = tuple(drop(name) for name in gate_counts.HEADER[2:4])
# What a narrow terminal goes without, in this order.
NARROWER = (drop("MDE"), drop("base"), drop("head"), break_up("head / base"))
VERDICT_COLOURS = {
    GateVerdict.PASSED: "green",
    GateVerdict.REGRESSION: "red",
    GateVerdict.UNDECIDED: "yellow",
}


def gate_table(facts: GateFacts) -> RenderableType:
    """The verdict first; cells that are the same are counted."""
    from rich.console import Group
    from rich.text import Text

    verdict = facts.verdict
    shown = [cell for outcome in (*LOUD, *SEEN) for cell in of_outcome(facts.cells, outcome)]
    folded = {outcome: len(of_outcome(facts.cells, outcome)) for outcome in FOLDED}
    counted = ", ".join(f"{outcome} {count}" for outcome, count in folded.items() if count)
    return Group(
        Text.assemble(
            (str(verdict), f"bold {VERDICT_COLOURS[verdict]}"), f"  {verdict_sentence(facts)}"
        ),
        *(Text(formatting.line(sentence)) for sentence in sides(facts)),
        *([_table(shown)] if shown else []),
        *([Text(f"not listed: {counted}")] if counted else []),
        *(_counts(facts.counts) if facts.counts else ()),
        Text(rule(facts)),
    )


def _counts(counts: Sequence[GateCount]) -> list[RenderableType]:
    """Those are listed that disagree with time; the page has all."""
    from rich.text import Text

    shown = of_agreement(counts, Agreement.DISAGREES)
    rows = tuple(Row(row) for row in gate_counts.rows(shown))
    table = FittingTable("counts that disagree with time", COUNT_COLUMNS, rows, COUNTS_NARROWER)
    return [Text(gate_counts.sentence(counts)), *([table] if shown else [])]


def colour_of(outcome: GateOutcome) -> str:
    """The type checker asks here for a colour of each new outcome."""
    match outcome:
        case GateOutcome.BROKEN | GateOutcome.GONE | GateOutcome.SLOWER:
            return "red"
        case GateOutcome.AMBIGUOUS:
            return "yellow"
        case GateOutcome.FASTER | GateOutcome.MENDED | GateOutcome.NEW:
            return "green"
        case GateOutcome.SAME:
            return "cyan"
        case GateOutcome.UNSUPPORTED:
            return "dim"
        case _:
            assert_never(outcome)


def _table(cells: Sequence[GateCell]) -> FittingTable:
    common = common_conditions(cells)
    return FittingTable(
        common or "", COLUMNS, tuple(_row(cell, common) for cell in cells), NARROWER
    )


def _row(cell: GateCell, common: str | None) -> Row:
    effect = cell.minimum_detectable_effect
    return Row(
        (
            cell.implementation,
            place(cell, common),
            *times(cell),
            formatting.ABSENT if effect is None else formatting.percent(effect),
            f"[{colour_of(cell.outcome)}]{cell.outcome}[/]",
            formatting.line(cell.reason or ""),
        )
    )
