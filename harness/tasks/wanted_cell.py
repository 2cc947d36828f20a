"""A throughput cell with the records that are wanted of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from statistics import median

from harness.records import (
    Cost,
    Identity,
    Seconds,
    Status,
    StopReason,
    ThroughputCell,
    ThroughputRecord,
)
from harness.tasks.common import timestamp
from harness.timing.cell_progress import CellProgress
from harness.timing.cell_spec import CellMeasurement, CellSpec
from harness.timing.figures import figures_of


@dataclass(frozen=True)
class WantedCell:
    """A cell, and those of its records that are wanted."""

    spec: CellSpec
    wanted: Sequence[Identity[ThroughputCell]]

    def records(
        self, cell: CellProgress, session: str, reason: StopReason | None = None
    ) -> Iterator[ThroughputRecord]:
        """What came of it, where the measurement ended for this ``reason`` or of itself."""
        measured, baseline = cell.finish(reason), self.spec.baseline
        alone = all(identity.implementation != baseline for identity in self.wanted)
        for identity in self.wanted:
            record = _record(identity, self.spec, measured, session)
            cost = replace(record.cost, lock_wait_seconds=Seconds(cell.lock_wait))
            record = replace(record, cost=cost)
            yield _with_baseline_samples(record, measured) if alone else record


def _record(
    identity: Identity[ThroughputCell], spec: CellSpec, measured: CellMeasurement, session: str
) -> ThroughputRecord:
    arm = identity.implementation
    failure = measured.failures.get(arm)
    if failure is not None:
        return ThroughputRecord(identity, session, timestamp(), failure.status, failure.reason)
    figures, flags = figures_of(spec, measured, arm)
    return ThroughputRecord(
        identity,
        session,
        timestamp(),
        Status.OK,
        flags=flags,
        figures=figures,
        samples=tuple(measured.samples[arm]),
        cost=_median_cost(measured.costs[arm]),
    )


def _with_baseline_samples(record: ThroughputRecord, measured: CellMeasurement) -> ThroughputRecord:
    """The record with the samples that its ratio is of: no record of this session has them."""
    samples = measured.samples.get(record.cell.baseline)
    if record.figures is None or not samples:
        return record
    return replace(record, figures=replace(record.figures, baseline_samples=tuple(samples)))


def _median_cost(costs: Sequence[Cost]) -> Cost:
    """Of each kind of cost the median over launches, those without it counting as none."""
    kinds = [kind.name for kind in fields(Cost)]
    return Cost(**{kind: _median_or_none(map(attrgetter(kind), costs)) for kind in kinds})


def _median_or_none(seconds: Iterable[Seconds | None]) -> Seconds | None:
    known = list(seconds)
    if all(value is None for value in known):
        return None
    return Seconds(median(value or 0.0 for value in known))
