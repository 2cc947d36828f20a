"""Records that came to the same for the same reason, so that each reason stands once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.analysis.outcomes import (
    AnyOutcome,
    RecordOutcome,
    SpeedOutcome,
    WithoutVerdict,
    outcome_label,
)
from harness.analysis.ratios import ratio_to_baseline
from harness.analysis.sections import Section
from harness.analysis.selection import throughput_records
from harness.records import AnyRecord, CaseRecord, ThroughputRecord


@dataclass(frozen=True)
class ReasonGroup:
    """Records of one implementation with one outcome and ``reason``, which of what is declared
    is the explanation. What is MISTRUSTED has ``quantities`` in the place of a reason.
    """

    implementation: str
    outcome: RecordOutcome
    reason: str
    quantities: tuple[str, ...]
    records: tuple[AnyRecord, ...]

    @property
    def cases(self) -> list[CaseRecord]:
        return [record for record in self.records if isinstance(record, CaseRecord)]


@dataclass(frozen=True)
class MissingRatio:
    """The cells of a section, by their labels, in which the same implementations have no ratio for
    the same reason; None where none was recorded.
    """

    implementations: tuple[str, ...]
    outcome: SpeedOutcome
    reason: str | None
    cells: tuple[str, ...]


def group_reasons(
    records: Iterable[AnyRecord], outcomes: Sequence[AnyOutcome]
) -> list[ReasonGroup]:
    """What came to one of these ``outcomes``, in the order in which it comes."""
    groups: dict[tuple[str, RecordOutcome, str, tuple[str, ...]], list[AnyRecord]] = {}
    for record in records:
        outcome = outcome_label(record)
        if outcome in outcomes:
            reason = record.explanation or record.reason or ""
            key = (record.implementation, outcome, reason, _mistrusted_quantities(record))
            groups.setdefault(key, []).append(record)
    return [ReasonGroup(*key, tuple(own)) for key, own in groups.items()]


def missing_ratios(section: Section) -> list[MissingRatio]:
    """What became of the cells that have no ratio, each reason once."""
    cells: dict[tuple[SpeedOutcome, str | None, str], list[str]] = {}
    for cell in section.cells:
        for name, record in cell.arms.items():
            if record.figures is None:
                cells.setdefault((record.status, record.reason, name), []).append(cell.label)
            elif name != cell.baseline and ratio_to_baseline(record) is None:
                key = (WithoutVerdict.NO_RATIO, record.figures.ratio_absent or None, name)
                cells.setdefault(key, []).append(cell.label)
    implementations: dict[tuple[SpeedOutcome, str | None, tuple[str, ...]], list[str]] = {}
    for (outcome, reason, name), labels in cells.items():
        implementations.setdefault((outcome, reason, tuple(labels)), []).append(name)
    return [
        MissingRatio(tuple(names), outcome, reason, labels)
        for (outcome, reason, labels), names in implementations.items()
    ]


def implementations_without_ratio(records: Iterable[AnyRecord]) -> dict[str, list[str]]:
    """By reason, the implementations that were timed and have no ratio to another's baseline."""
    names: dict[str, list[str]] = {}
    for record in throughput_records(records):
        reason = _reason_for_no_ratio(record)
        if reason and record.implementation not in names.setdefault(reason, []):
            names[reason].append(record.implementation)
    return names


def _reason_for_no_ratio(record: ThroughputRecord) -> str | None:
    if record.figures is None or record.implementation == record.cell.baseline:
        return None
    return record.figures.ratio_absent


def _mistrusted_quantities(record: AnyRecord) -> tuple[str, ...]:
    match record:
        case CaseRecord(figures=figures) if figures is not None:
            return figures.mistrusted
        case _:
            return ()
