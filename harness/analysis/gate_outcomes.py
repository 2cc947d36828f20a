"""What a cell of a gate, and the whole of it, can come to."""

from __future__ import annotations

from enum import StrEnum
from typing import assert_never

from harness.records import ExitStatus, Verdict


class GateOutcome(StrEnum):
    """What became of one implementation in one cell, from base to head. The first four are the
    verdict on the ratio head / base.
    """

    FASTER = "FASTER"
    SLOWER = "SLOWER"
    SAME = "SAME"
    AMBIGUOUS = "AMBIGUOUS"
    NEW = "NEW"  # base lacks the implementation, or refuses the problem
    GONE = "GONE"  # head does, and base did not
    BROKEN = "BROKEN"  # head fails or is wrong
    MENDED = "MENDED"  # base did, and head is right
    UNSUPPORTED = "UNSUPPORTED"  # both refuse the problem

    @property
    def is_regression(self) -> bool:
        """The type checker asks here for a decision about each new outcome."""
        match self:
            case GateOutcome.SLOWER | GateOutcome.BROKEN | GateOutcome.GONE:
                return True
            case GateOutcome.FASTER | GateOutcome.SAME | GateOutcome.AMBIGUOUS:
                return False
            case GateOutcome.NEW | GateOutcome.MENDED | GateOutcome.UNSUPPORTED:
                return False
            case _:
                assert_never(self)


class GateVerdict(StrEnum):
    """What a whole gate says."""

    PASSED = "PASSED"
    REGRESSION = "REGRESSION"
    UNDECIDED = "UNDECIDED"

    @property
    def status(self) -> ExitStatus:
        match self:
            case GateVerdict.PASSED:
                return ExitStatus.OK
            case GateVerdict.REGRESSION:
                return ExitStatus.FAILED
            case GateVerdict.UNDECIDED:
                return ExitStatus.UNDECIDED
            case _:
                assert_never(self)


def outcome_of(verdict: Verdict) -> GateOutcome:
    """The type checker asks here for the outcome of each new verdict."""
    match verdict:
        case Verdict.FASTER:
            return GateOutcome.FASTER
        case Verdict.SLOWER:
            return GateOutcome.SLOWER
        case Verdict.SAME:
            return GateOutcome.SAME
        case Verdict.AMBIGUOUS:
            return GateOutcome.AMBIGUOUS
        case _:
            assert_never(verdict)
