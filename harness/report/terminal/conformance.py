"""What was not asked of conformance, and tables of how many cases of each property passed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from harness.analysis.selection import implementations
from harness.analysis.tallies import ALL_CASES, CaseTally, property_matrix
from harness.analysis.unasked import unasked_properties
from harness.records import CaseRecord, Status
from harness.report import phrases
from harness.report.terminal import style

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

ABREAST = 4  # implementations that stand beside a property's sentence
ENTRY = 15  # columns that "100 UNSUPPORTED" needs; what is longer is folded


def unasked(records: Sequence[CaseRecord]) -> list[Text]:
    """What was not asked, and why; a property that was not asked at all is red."""
    from rich.text import Text

    lines = []
    for found in unasked_properties(records):
        sentence = f"not asked of {found.implementation}: {phrases.not_asked(found)}"
        lines.append(Text(sentence, style="red" if found.whole else "yellow"))
    return lines


def tables(records: Sequence[CaseRecord]) -> list[Table]:
    """A row a property and a column an implementation, in tables of as many columns as fit, as even
    as can be; none where there are no records.
    """
    if not records:
        return []
    matrix, columns = property_matrix(records), implementations(records)
    count = -(-len(columns) // ABREAST)
    size = -(-len(columns) // count)
    starts = range(0, len(columns), size)
    return [_table(matrix, columns[start : start + size]) for start in starts]


def _table(matrix: Mapping[str, Mapping[str, CaseTally]], columns: Sequence[str]) -> Table:
    from rich.markup import escape

    table = style.table("Conformance: cases passed")
    table.padding = (0, 1, 0, 0)
    table.add_column("property")
    for name in columns:
        table.add_column(escape(name), justify="right", overflow="fold", max_width=ENTRY)
    for label, row in matrix.items():
        if label == ALL_CASES:
            table.add_section()
        table.add_row(escape(label), *(_entry(row.get(name)) for name in columns))
    return table


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
