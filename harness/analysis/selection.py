"""Records by task, and the implementations among them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.records import CANARY, AnyRecord, CaseRecord, ThroughputRecord, TrainingRecord


def throughput_records(records: Iterable[AnyRecord]) -> list[ThroughputRecord]:
    return [record for record in records if isinstance(record, ThroughputRecord)]


def training_records(records: Iterable[AnyRecord]) -> list[TrainingRecord]:
    return [record for record in records if isinstance(record, TrainingRecord)]


def case_records(records: Iterable[AnyRecord]) -> list[CaseRecord]:
    return [record for record in records if isinstance(record, CaseRecord)]


def implementations(records: Sequence[AnyRecord]) -> tuple[str, ...]:
    """Every implementation in the order of its first record, baselines before the others. The
    canary is the baseline's second name, and no implementation.
    """
    baselines = [record.cell.baseline for record in records if not isinstance(record, CaseRecord)]
    present = dict.fromkeys(
        record.implementation for record in records if record.implementation != CANARY
    )
    return tuple(name for name in dict.fromkeys([*baselines, *present]) if name in present)
