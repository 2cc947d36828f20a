"""Which arms of a session are slower than their baselines, for those whom that is to stop."""

from __future__ import annotations

from collections.abc import Sequence

from harness.analysis.moderation import moderate
from harness.analysis.multiple_testing import correct_verdicts
from harness.analysis.selection import throughput_records
from harness.records import CANARY, AnyRecord, ThroughputRecord, Verdict


def slower_records(records: Sequence[AnyRecord]) -> list[ThroughputRecord]:
    """Those whose verdict, as a report has it, is SLOWER; the baseline's own second run is none."""
    moderated = moderate(records).records
    verdicts = correct_verdicts(moderated)
    return [
        record
        for record in throughput_records(moderated)
        if record.implementation != CANARY and verdicts.outcome(record) == Verdict.SLOWER
    ]
