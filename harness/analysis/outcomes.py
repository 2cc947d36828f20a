"""What became of a record, in the terms that tallies count and pages name."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias, assert_never

from harness.records import AnyRecord, Flag, Status, ThroughputRecord, Verdict


class Qualified(StrEnum):
    """What became of a conformance case of which the status alone says too much."""

    DECLARED = "declared"  # WRONG, and known to be: neither a failure nor a pass
    MISTRUSTED = "MISTRUSTED"  # OK, by a comparison that proves nothing


class WithoutVerdict(StrEnum):
    """Why a record that was timed has no verdict."""

    NO_VERDICT = "no verdict"  # a flag forbids it
    NO_RATIO = "no ratio"


RecordOutcome: TypeAlias = Status | Qualified
SpeedOutcome: TypeAlias = Status | Verdict | WithoutVerdict
AnyOutcome: TypeAlias = Status | Qualified | Verdict | WithoutVerdict


def is_refusal(status: Status) -> bool:
    """Whether nothing was measured since it was not possible. The type checker asks here for a
    decision about each new status.
    """
    match status:
        case Status.UNSUPPORTED | Status.UNAVAILABLE:
            return True
        case Status.OK | Status.WRONG | Status.CRASHED | Status.TIMEOUT:
            return False
        case _:
            assert_never(status)


FAILED = tuple(status for status in Status if status.failed)
REFUSED = tuple(status for status in Status if is_refusal(status))
# In the order in which they are counted: verdicts first, failures before refusals.
ALL_OUTCOMES: tuple[AnyOutcome, ...] = (
    *Verdict,
    *WithoutVerdict,
    Status.OK,
    *FAILED,
    *Qualified,
    *REFUSED,
)


def outcome_label(record: AnyRecord) -> RecordOutcome:
    """The status, unless a WRONG is a declared deviation or an OK proves too little."""
    if record.explanation is not None:
        return Qualified.DECLARED
    return Qualified.MISTRUSTED if Flag.MISTRUSTED in record.flags else record.status


def speed_label(record: ThroughputRecord) -> SpeedOutcome:
    """The verdict, or why there is none: no ratio, a flag that forbids it, or a status but OK."""
    if record.figures is None:
        return record.status
    if record.figures.ratio is None:
        return WithoutVerdict.NO_RATIO
    if record.flags or record.figures.verdict is None:
        return WithoutVerdict.NO_VERDICT
    return record.figures.verdict
