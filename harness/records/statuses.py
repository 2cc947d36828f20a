"""What became of a measurement, what is in doubt about it, what it says, and how a command ends."""

from __future__ import annotations

from enum import IntEnum, StrEnum
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
    """A doubt about an OK record. It forbids a verdict, not a number.

    What accuses an implementation goes by a confidence interval that lies wholly beyond a bound.
    What tells of the machine during this measurement is counted, not estimated.
    """

    # Counted: blocks in doubt, launches in which the floor wandered. By its interval: the canary.
    DISTURBED = "DISTURBED"
    UNSTEADY = "UNSTEADY"  # counted: launches whose warm-up ended before the times were steady
    IMPLAUSIBLE = "IMPLAUSIBLE"  # by the interval of the time over the floor
    CLOCKS_DISAGREE = "CLOCKS_DISAGREE"  # by the interval of either clock's ratio to the timer
    INACCURATE = "INACCURATE"  # computed: the error, beyond the bound that was asked for
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
    INTERRUPTED = "interrupted"  # the command was, while the cell waited for further launches
    # What records have that were made before the reason was kept.
    UNKNOWN = ""


class Verdict(StrEnum):
    """What an interval says about a ratio of times, given a practical margin."""

    FASTER = "FASTER"
    SLOWER = "SLOWER"
    SAME = "SAME"
    AMBIGUOUS = "AMBIGUOUS"


class ExitStatus(IntEnum):
    """How a command ends, for whoever called it."""

    OK = 0
    FAILED = 1  # something is wrong, slower, broken or different, or a job could not be done
    USAGE = 2  # the command line or the configuration is not accepted; nothing was run
    UNDECIDED = 3  # records are missing, or nothing was measured, compared or proved
    INTERRUPTED = 130  # as shells have it for SIGINT
