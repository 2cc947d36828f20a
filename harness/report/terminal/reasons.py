"""What a terminal shows beneath its tables: why what is not OK is not, and how to see it again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from harness import formatting
from harness.analysis.grouped_reasons import (
    ReasonGroup,
    group_reasons,
    implementations_without_ratio,
)
from harness.analysis.outcomes import (
    FAILED,
    REFUSED,
    Qualified,
    RecordOutcome,
    WithoutVerdict,
    outcome_label,
)
from harness.analysis.rerun_command import rerun_command
from harness.analysis.selection import case_records
from harness.analysis.unasked import outdated_deviations
from harness.records import CANARY, AnyRecord
from harness.report import phrases

SHOWN = 8  # reasons of a kind
REASON_LENGTH = 1000  # characters; the journal holds all of it


class Reason(NamedTuple):
    """A sentence, and the command that repeats what it is about, if there is one."""

    sentence: str
    command: str | None = None


def reasons(records: Sequence[AnyRecord]) -> list[Reason]:
    """Failures first, then what is declared, what proves too little, and refusals; each reason
    once.
    """
    records = [record for record in records if record.implementation != CANARY]
    return [
        *_grouped(records, FAILED),
        *_grouped(records, [Qualified.DECLARED]),
        *_outdated(records),
        *_mistrusted(records),
        *_grouped(records, REFUSED),
        *_without_ratio(records),
    ]


def _outdated(records: Sequence[AnyRecord]) -> list[Reason]:
    return [
        Reason(
            f"{found.implementation}: declares a deviation in "
            f"{phrases.named_cases([record.cell.case for record in found.records])}, which passed: "
            f"out of date: {found.note}"
        )
        for found in outdated_deviations(case_records(records))
    ]


def _mistrusted(records: Sequence[AnyRecord]) -> list[Reason]:
    count = sum(outcome_label(record) == Qualified.MISTRUSTED for record in records)
    if not count:
        return []
    sentence = (
        f"{Qualified.MISTRUSTED}: cancellation leaves a tolerance too wide to prove anything; "
        f"the report names the {formatting.counted(count, 'case')}"
    )
    return [Reason(sentence)]


def _without_ratio(records: Sequence[AnyRecord]) -> list[Reason]:
    """What was timed and has no ratio, each reason once."""
    return [
        Reason(f"{', '.join(names)}: {WithoutVerdict.NO_RATIO}: {formatting.line(reason)}")
        for reason, names in implementations_without_ratio(records).items()
    ]


def _grouped(records: Sequence[AnyRecord], outcomes: Sequence[RecordOutcome]) -> list[Reason]:
    groups = group_reasons(records, outcomes)
    shown = [
        Reason(f"{group.implementation}: {_sentence(group)}", _command(group))
        for group in groups[:SHOWN]
    ]
    more = len(groups) - SHOWN
    if more > 0:
        shown.append(Reason(f"and {formatting.counted(more, 'other reason')}, in the report"))
    return shown


def _sentence(group: ReasonGroup) -> str:
    cases = phrases.named_cases([record.cell.case for record in group.cases])
    reason = formatting.line(group.reason, REASON_LENGTH)
    if group.outcome == Qualified.DECLARED:
        return f"{phrases.DECLARED} in {cases}: {reason}"
    where = f" in {cases}" if group.cases and group.outcome in FAILED else ""
    return f"{group.outcome}{where}: {reason}"


def _command(group: ReasonGroup) -> str | None:
    """The command for the first of them; only a failed case has one."""
    return rerun_command(group.cases[0]) if group.cases and group.outcome in FAILED else None
