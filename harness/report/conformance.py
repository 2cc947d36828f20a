"""The conformance part of a report: implementations against groups of cases, and every case that did not pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.records import Record, Status
from harness.report import tallies, text
from harness.report.views import case_group, names

REFUSED_SHOWN = 3  # cases named of those that one implementation refuses for one reason


def matrix(records: Sequence[Record]) -> str:
    """A row a group of cases, a column an implementation: how many passed, and what became of the others."""
    implementations = names(records)
    groups: dict[str, list[Record]] = {}
    for record in records:
        groups.setdefault(case_group(record), []).append(record)
    rows = [
        [text.plain(group), *(_entry([record for record in own if record.implementation == name])
                              for name in implementations)]
        for group, own in groups.items()
    ]
    total = ["**all**", *(_entry([record for record in records if record.implementation == name])
                          for name in implementations)]
    return text.columns(["cases", *map(text.code, implementations)], [*rows, total])


def failures(records: Sequence[Record]) -> list[str]:
    """Every case that failed, alike ones together, with the reason."""
    return [
        f"{text.code(name)} **{status}** in {text.listed(map(text.code, cases))}: {text.plain(reason)}"
        for (name, status, reason), cases in _grouped(records).items() if Status(status).failed
    ]


def refusals(records: Sequence[Record]) -> list[str]:
    """What was refused or could not run, a line a reason."""
    return [
        f"{text.code(name)} {status} in {text.counted(len(cases), 'case')} "
        f"({_some(cases)}): {text.plain(reason)}"
        for (name, status, reason), cases in _grouped(records).items() if not Status(status).failed
    ]


def worst(records: Sequence[Record]) -> str:
    """Each implementation's largest error among the cases that it passed, as a share of the tolerance."""
    told = [(tally.implementation, tally.worst) for tally in tallies.conformance(records) if tally.worst is not None]
    return ", ".join(f"{text.code(name)} {text.significant(error)}" for name, error in told)


def tolled(statuses: Mapping[str, int]) -> str:
    """Outcomes other than OK: 1 WRONG, 2 UNSUPPORTED."""
    return ", ".join(f"{count} {status}" for status, count in statuses.items() if status != Status.OK)


def _entry(records: Sequence[Record]) -> str:
    if not records:
        return text.ABSENT
    statuses = tallies.counted(record.status for record in records)
    rest = tolled(statuses)
    return f"{statuses.get(Status.OK, 0)} of {len(records)}" + (f": {rest}" if rest else "")


def _grouped(records: Sequence[Record]) -> dict[tuple[str, str, str], list[str]]:
    groups: dict[tuple[str, str, str], list[str]] = {}
    for record in records:
        if record.status is not Status.OK:
            key = (record.implementation, record.status.value, record.reason or "")
            groups.setdefault(key, []).append(str(record.cell["case"]))
    return groups


def _some(cases: Sequence[str]) -> str:
    shown = ", ".join(map(text.code, cases[:REFUSED_SHOWN]))
    return shown + (", …" if len(cases) > REFUSED_SHOWN else "")
