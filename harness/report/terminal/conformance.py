"""What was not asked of conformance, and tables of how many cases of each property passed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.analysis.selection import implementations
from harness.analysis.tallies import ALL_CASES, CaseTally, property_matrix
from harness.analysis.unasked import unasked_properties
from harness.records import CaseRecord, Status
from harness.report import phrases
from harness.report.terminal import style
from harness.report.terminal.fitting import Column, FittingTable, Row
from harness.report.terminal.wrapping import Breaks

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.text import Text

ABREAST = 4  # implementations that stand beside a property's sentence, at most
# columns that "100 UNSUPPORTED" needs; names that are longer are broken
ENTRY = 15
SENTENCE = 34  # columns that a property's sentence needs


def unasked(records: Sequence[CaseRecord]) -> list[Text]:
    """What was not asked, and why; a property that was not asked at all is red."""
    from rich.text import Text

    lines = []
    for found in unasked_properties(records):
        sentence = f"not asked of {found.implementation}: {phrases.not_asked(found)}"
        lines.append(Text(sentence, style="red" if found.whole else "yellow"))
    return lines


@dataclass(frozen=True)
class PropertyTables:
    """A row a property and a column an implementation, in tables of as many columns as fit, as even
    as can be.
    """

    matrix: Mapping[str, Mapping[str, CaseTally]]
    names: Sequence[str]

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> Iterator[RenderableType]:
        abreast = max(1, min(ABREAST, (options.max_width - SENTENCE) // (ENTRY + 2)))
        count = -(-len(self.names) // abreast)
        size = -(-len(self.names) // count)
        for start in range(0, len(self.names), size):
            yield _table(self.matrix, self.names[start : start + size])


def tables(records: Sequence[CaseRecord]) -> list[PropertyTables]:
    """None where there are no records."""
    return [PropertyTables(property_matrix(records), implementations(records))] if records else []


def _table(matrix: Mapping[str, Mapping[str, CaseTally]], names: Sequence[str]) -> FittingTable:
    columns = (
        Column("property", Breaks.WORDS),
        *(Column(name, Breaks.NAMES, right=True, markup=True, most=ENTRY) for name in names),
    )
    rows = [
        Row((label, *(_entry(row.get(name)) for name in names)), label == ALL_CASES)
        for label, row in matrix.items()
    ]
    before_total = -2
    if len(rows) > 1:
        rows[before_total] = replace(rows[before_total], ends=True)
    return FittingTable("Conformance: cases passed", columns, tuple(rows))


def _entry(tally: CaseTally | None) -> str:
    """How many passed; where that is not all, a line for each thing that became of the others."""
    if tally is None:
        return ""
    passed = phrases.cases_passed(tally)
    if not tally.others:
        return style.coloured(Status.OK, passed)
    others = (
        style.coloured(outcome, f"{count} {outcome}") for outcome, count in tally.others.items()
    )
    return "\n".join([passed, *others])
