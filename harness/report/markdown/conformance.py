"""The conformance part of a report: implementations against properties, and why each case that did
not pass did not.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness import formatting
from harness.analysis.grouped_reasons import ReasonGroup, group_reasons
from harness.analysis.outcomes import FAILED, REFUSED, Qualified
from harness.analysis.rerun_command import rerun_command
from harness.analysis.selection import implementations
from harness.analysis.tallies import ALL_CASES, CaseTally, case_tallies, property_matrix
from harness.analysis.unasked import NotedCases, asked_otherwise, outdated_deviations
from harness.records import CaseRecord
from harness.report import phrases

REASON_LENGTH = 1000  # characters: each is written once, and an explanation has its source


def matrix(records: Sequence[CaseRecord]) -> str:
    """A row a property, a column an implementation: how many cases passed, and what became of the
    others.
    """
    names = implementations(records)
    rows = []
    for label, tallies in property_matrix(records).items():
        title = f"**{label}**" if label == ALL_CASES else formatting.plain(label)
        rows.append([title, *(_entry(tallies.get(name)) for name in names)])
    return formatting.columns(["property", *map(formatting.code, names)], rows)


def failures(records: Sequence[CaseRecord]) -> list[str]:
    """Every reason for which cases failed, with the command that repeats the first of them."""
    return [
        f"{_sentence(group)}<br>{formatting.code(rerun_command(group.cases[0]))}"
        for group in group_reasons(records, FAILED)
    ]


def declared(records: Sequence[CaseRecord]) -> list[str]:
    """What is known of an implementation, and where it shows."""
    return list(map(_sentence, group_reasons(records, [Qualified.DECLARED])))


def mistrusted(records: Sequence[CaseRecord]) -> list[str]:
    """Which quantities of which cases were compared in vain."""
    return list(map(_sentence, group_reasons(records, [Qualified.MISTRUSTED])))


def refusals(records: Sequence[CaseRecord]) -> list[str]:
    """What was refused or could not run, a line a reason."""
    return list(map(_sentence, group_reasons(records, REFUSED)))


def fitted(records: Sequence[CaseRecord]) -> list[str]:
    """What was asked on another problem than the case is written for, a line a reason."""
    return list(map(_noted, asked_otherwise(records)))


def outdated(records: Sequence[CaseRecord]) -> list[str]:
    """Deviations that are declared and do not show."""
    return list(map(_noted, outdated_deviations(records)))


def largest_errors(records: Sequence[CaseRecord]) -> str:
    """Each implementation's largest error among the cases that it passed, as a share of the
    tolerance.
    """
    return ", ".join(
        f"{formatting.code(tally.implementation)} {formatting.significant(tally.worst)}"
        for tally in case_tallies(records)
        if tally.worst is not None
    )


def _entry(tally: CaseTally | None) -> str:
    if tally is None:
        return formatting.ABSENT
    passed, others = phrases.cases_passed(tally), phrases.outcome_counts(tally.others)
    return f"{passed}: {others}" if others else passed


def _noted(found: NotedCases) -> str:
    name, note = formatting.code(found.implementation), formatting.plain(found.note, REASON_LENGTH)
    return f"{name} in {_named(found.records)}: {note}"


def _named(records: Sequence[CaseRecord]) -> str:
    return phrases.named_cases([formatting.code(record.cell.case) for record in records])


def _sentence(group: ReasonGroup) -> str:
    name, outcome = formatting.code(group.implementation), str(group.outcome)
    if group.outcome in FAILED:
        outcome = f"**{group.outcome}**"
    elif group.outcome == Qualified.DECLARED:
        outcome = phrases.DECLARED
    where = _named(group.cases)
    reason = formatting.plain(formatting.listed(group.quantities) or group.reason, REASON_LENGTH)
    return f"{name} {outcome} in {where}: {reason}"
