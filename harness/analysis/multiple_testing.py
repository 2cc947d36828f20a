"""A session's verdicts, corrected for how many comparisons there were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness import statistics
from harness.analysis.outcomes import SpeedOutcome, speed_label
from harness.analysis.selection import throughput_records
from harness.records import CANARY, AnyRecord, ThroughputRecord, Verdict


@dataclass(frozen=True)
class CorrectedVerdicts:
    """What is left of a session's verdicts once it counts how many there are.

    ``compared`` are the comparisons corrected for, ``alpha`` their joint error; ``uncorrected``
    verdicts came without a p-value, before there were any. ``withdrawn`` are the keys of the
    records whose verdict does not stand.
    """

    compared: int
    alpha: float
    uncorrected: int
    withdrawn: frozenset[str]

    def outcome(self, record: ThroughputRecord) -> SpeedOutcome:
        """As `outcomes.speed_label`, and AMBIGUOUS where the verdict does not stand."""
        return Verdict.AMBIGUOUS if record.key in self.withdrawn else speed_label(record)

    def withdrawn_verdict(self, record: ThroughputRecord) -> SpeedOutcome | None:
        """The verdict that the record had for itself, where it does not stand."""
        return speed_label(record) if record.key in self.withdrawn else None


def correct_verdicts(records: Sequence[AnyRecord]) -> CorrectedVerdicts:
    """Over all throughput records of a session by Holm's rule, but for baseline, canary and what is
    flagged. Where they differ in alpha, the least holds for all.
    """
    judged = [record for record in throughput_records(records) if _has_verdict(record)]
    p_values = {
        record.key: record.figures.p_value
        for record in judged
        if record.figures and record.figures.p_value is not None
    }
    alpha = min((record.cell.alpha for record in judged), default=0.0)
    stands = dict(zip(p_values, statistics.holm(list(p_values.values()), alpha), strict=True))
    withdrawn = {
        record.key
        for record in judged
        if speed_label(record) != Verdict.AMBIGUOUS and not stands.get(record.key, True)
    }
    return CorrectedVerdicts(
        len(p_values), alpha, len(judged) - len(p_values), frozenset(withdrawn)
    )


def _has_verdict(record: ThroughputRecord) -> bool:
    figures = record.figures
    return (
        record.implementation != CANARY
        and figures is not None
        and figures.verdict is not None
        and not record.flags
    )
