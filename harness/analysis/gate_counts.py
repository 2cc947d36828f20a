"""What exact counts of instructions say of a gate's cells, beside its times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.instruction_counts import Agreement, CountChange, Counts, Way
from harness.records import ThroughputCell


@dataclass(frozen=True)
class GateCount:
    """One call of an implementation in base and in head. ``counts_of`` is what was called: the
    cell's own kernel or layer, or `batch_norm` as a user calls it, which is not timed.

    ``reason`` is why a side has no count, and then ``change`` is None and ``agreement`` SILENT.
    """

    implementation: str
    cell: ThroughputCell
    counts_of: Way
    agreement: Agreement
    base_counts: Counts | None = None
    head_counts: Counts | None = None
    change: CountChange | None = None
    reason: str | None = None


def of_agreement(counts: Sequence[GateCount], agreement: Agreement) -> list[GateCount]:
    return [one for one in counts if one.agreement is agreement]
