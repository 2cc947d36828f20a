"""The conformance part of a report: implementations against properties, and why each case that did
not pass did not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.records import Record, Status
from harness.report import tallies, text
from harness.report.alike import Alike, alike, named
from harness.report.repeat import command
from harness.report.tallies import ALL, CaseTally
from harness.report.views import DOCUMENTED, FAILED, KNOWN, MISTRUSTED, REFUSED, names

REASON_LENGTH = 1000  # characters: each is written once, and an explanation has its source


def matrix(records: Sequence[Record]) -> str:
    """A row a property, a column an implementation: how many cases passed, and what became of the
    others.
    """
    implementations = names(records)
    rows = [
        [
            f"**{label}**" if label == ALL else text.plain(label),
            *(_entry(own.get(name)) for name in implementations),
        ]
        for label, own in tallies.matrix(records).items()
    ]
    return text.columns(["property", *map(text.code, implementations)], rows)


def failures(records: Sequence[Record]) -> list[str]:
    """Every reason for which cases failed, with the command that repeats the first of them."""
    return [
        f"{_told(group)}<br>{text.code(command(group.records[0]))}"
        for group in alike(records, FAILED)
    ]


def documented(records: Sequence[Record]) -> list[str]:
    """What is known of an implementation, and where it shows."""
    return list(map(_told, alike(records, [DOCUMENTED])))


def mistrusted(records: Sequence[Record]) -> list[str]:
    """Which quantities of which cases were compared in vain."""
    return list(map(_told, alike(records, [MISTRUSTED])))


def refusals(records: Sequence[Record]) -> list[str]:
    """What was refused or could not run, a line a reason."""
    return list(map(_told, alike(records, REFUSED)))


def worst(records: Sequence[Record]) -> str:
    """Each implementation's largest error among the cases that it passed, as a share of the
    tolerance.
    """
    told = [
        (tally.implementation, tally.worst)
        for tally in tallies.conformance(records)
        if tally.worst is not None
    ]
    return ", ".join(f"{text.code(name)} {text.significant(error)}" for name, error in told)


def tolled(outcomes: Mapping[str, int]) -> str:
    """Outcomes other than OK: 1 WRONG, 2 UNSUPPORTED."""
    return ", ".join(
        f"{count} {outcome}" for outcome, count in outcomes.items() if outcome != Status.OK
    )


def _entry(tally: CaseTally | None) -> str:
    if tally is None:
        return text.ABSENT
    return f"{tally}: {tolled(tally.outcomes)}" if tally.others else f"{tally}"


def _told(group: Alike) -> str:
    outcome = (
        f"**{group.outcome}**"
        if group.outcome in FAILED
        else KNOWN
        if group.outcome == DOCUMENTED
        else group.outcome
    )
    where = named(list(map(text.code, group.cases)))
    return (
        f"{text.code(group.implementation)} {outcome} in {where}: "
        f"{text.plain(group.reason, REASON_LENGTH)}"
    )
