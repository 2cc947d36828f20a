"""Every case of one implementation in a row of its own, with the worst element that was found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness import formatting
from harness.analysis.case_elements import WorstElement, worst_element
from harness.analysis.outcomes import outcome_label
from harness.analysis.rerun_command import rerun_command
from harness.analysis.selection import implementations
from harness.records import CaseRecord
from harness.report import phrases

HEADER = ("case", "outcome", "error / tolerance", "error in ulp", "worst element")


def every_case(records: Sequence[CaseRecord]) -> Iterator[tuple[str, str, str]]:
    """Each implementation, the table of its cases, and the command that repeats one of them."""
    for name in implementations(records):
        own = [record for record in records if record.implementation == name]
        # One that fixes its own threads would leave out the key that the others need.
        example = next((record for record in own if not record.cell.fixed_threads), own[0])
        table = formatting.columns(HEADER, map(_row, own), right=(2, 3))
        yield name, table, rerun_command(example)


def _row(record: CaseRecord) -> list[str]:
    case = formatting.code(record.cell.case)
    return [case, _outcome(record), *_element(worst_element(record))]


def _outcome(record: CaseRecord) -> str:
    if record.failed:
        return f"**{record.status}**"
    if record.explanation is not None:
        return phrases.DECLARED
    asked = record.figures.asked if record.figures else None
    label = str(outcome_label(record))
    return label if asked is None else f"{label}, asked {formatting.plain(asked)}"


def _element(worst: WorstElement | None) -> tuple[str, str, str]:
    if worst is None:
        return formatting.ABSENT, formatting.ABSENT, formatting.ABSENT
    index = f"[{', '.join(map(str, worst.index))}]" if worst.index else ""
    fault = f" {worst.fault}" if worst.fault else ""
    return (
        _number(worst.ratio, formatting.ABSENT if worst.fault else "∞"),
        _number(worst.ulp, formatting.ABSENT),
        formatting.plain(f"{worst.quantity}{index}{fault}"),
    )


def _number(value: float | None, absent: str) -> str:
    if value is None:
        return absent
    return formatting.significant(value) if abs(value) < formatting.VAST else f"{value:.3g}"
