"""Conformance cases that were not asked, or not as they are written, and deviations that no longer
show.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.analysis.tallies import property_of
from harness.records import CaseRecord, Status

EVERYTHING = "everything"


@dataclass(frozen=True)
class UnaskedProperty:
    """Of one property, the cases that an implementation refused, as all of ``cases`` or some;
    ``reasons`` each once.
    """

    implementation: str
    label: str
    refused: int
    cases: int
    reasons: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Whether no case of the property was asked, so that nothing is known of it."""
        return self.refused == self.cases


@dataclass(frozen=True)
class NotedCases:
    """Cases of one implementation of which the same is to be noted."""

    implementation: str
    note: str
    records: tuple[CaseRecord, ...]


def unasked_properties(records: Iterable[CaseRecord]) -> list[UnaskedProperty]:
    """Properties of which cases were refused; those that were not asked at all come first."""
    groups: dict[tuple[str, str], list[CaseRecord]] = {}
    for record in records:
        groups.setdefault((record.implementation, property_of(record)), []).append(record)
    found = [_unasked(name, label, own) for (name, label), own in groups.items()]
    refused = [one for one in _merged(found) if one.refused]
    return sorted(refused, key=lambda one: not one.whole)


def asked_otherwise(records: Iterable[CaseRecord]) -> list[NotedCases]:
    """Cases that passed on another problem than they are written for, by the refusal."""
    return _noted((record, record.figures.refusal) for record in records if record.figures)


def outdated_deviations(records: Iterable[CaseRecord]) -> list[NotedCases]:
    """Cases that passed although a deviation is declared in them, by the deviation."""
    return _noted((record, record.figures.outdated) for record in records if record.figures)


def _merged(found: Sequence[UnaskedProperty]) -> list[UnaskedProperty]:
    """One entry for an implementation of which nothing was asked."""
    names = dict.fromkeys(one.implementation for one in found)
    merged = []
    for name in names:
        own = [one for one in found if one.implementation == name]
        cases, reasons = sum(one.cases for one in own), _each_once(own)
        if len(own) > 1 and all(one.whole for one in own):
            own = [UnaskedProperty(name, EVERYTHING, cases, cases, reasons)]
        merged += own
    return merged


def _each_once(found: Sequence[UnaskedProperty]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(reason for one in found for reason in one.reasons))


def _unasked(name: str, label: str, records: Sequence[CaseRecord]) -> UnaskedProperty:
    refused = [record for record in records if record.status is Status.UNSUPPORTED]
    reasons = tuple(dict.fromkeys(record.reason or "" for record in refused))
    return UnaskedProperty(name, label, len(refused), len(records), reasons)


def _noted(pairs: Iterable[tuple[CaseRecord, str | None]]) -> list[NotedCases]:
    groups: dict[tuple[str, str], list[CaseRecord]] = {}
    for record, note in pairs:
        if note is not None:
            groups.setdefault((record.implementation, note), []).append(record)
    return [NotedCases(*key, tuple(own)) for key, own in groups.items()]
