"""What became of a measurement, what is in doubt about it, and what it says."""

from __future__ import annotations

from enum import StrEnum
from typing import assert_never


class Status(StrEnum):
    """What became of a measurement. Only OK carries figures."""

    OK = "OK"
    WRONG = "WRONG"
    UNSUPPORTED = "UNSUPPORTED"
    UNAVAILABLE = "UNAVAILABLE"
    CRASHED = "CRASHED"
    TIMEOUT = "TIMEOUT"

    @property
    def failed(self) -> bool:
        """Whether the implementation is to blame.

        A refusal, or a machine that lacks something, is no failure. The type checker asks here for
        a decision about each new status.
        """
        match self:
            case Status.OK | Status.UNSUPPORTED | Status.UNAVAILABLE:
                return False
            case Status.WRONG | Status.CRASHED | Status.TIMEOUT:
                return True
            case _:
                assert_never(self)


class Flag(StrEnum):
    """A doubt about an OK record. It forbids a verdict, not a number."""

    DISTURBED = "DISTURBED"
    UNSTEADY = "UNSTEADY"
    IMPLAUSIBLE = "IMPLAUSIBLE"
    CLOCKS_DISAGREE = "CLOCKS_DISAGREE"
    # The comparison was made, and cancellation makes its tolerance too wide to prove anything.
    MISTRUSTED = "MISTRUSTED"


class Doubt(StrEnum):
    """Why a block or a sample is in doubt: what the kernel counted around it."""

    WAITING = "waiting"
    STEAL = "steal"
    THROTTLING = "throttling"
    FREQUENCY = "frequency"


class StopReason(StrEnum):
    """Why no further launch was made."""

    LAUNCHES = "launches"
    PRECISION = "precision"
    BUDGET = "budget"
    # What records have that were made before the reason was kept.
    UNKNOWN = ""


class Verdict(StrEnum):
    """What an interval says about a ratio of times, given a practical margin."""

    FASTER = "FASTER"
    SLOWER = "SLOWER"
    SAME = "SAME"
    AMBIGUOUS = "AMBIGUOUS"
