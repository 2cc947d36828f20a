"""What this machine can measure, and what disturbs it, each with its remedy.

readings              the machine as it is, read once
capabilities          findings about what it can measure
disturbances          findings about what disturbs it
finding               one of those
measurement           its noise, measured for about a minute
noise                 of problems: a comparison of the same code with itself
power_planning        the smallest difference that a given time finds there
bandwidth             of memory, watched for a while
probe_readings        the readings, taken in a worker
worker                that process
changepoints          whether a series of readings stays at one level
measurement_findings  findings about what was measured
"""

from __future__ import annotations

from harness.doctor.capabilities import CAPABILITIES
from harness.doctor.disturbances import DISTURBANCES
from harness.doctor.finding import Finding, State
from harness.doctor.readings import Readings, take

__all__ = ["Finding", "Readings", "State", "examine", "take"]


def examine(readings: Readings | None = None) -> list[Finding]:
    """All that is found in the readings, capabilities first.

    Where none are given they are taken, which lasts half a second.
    """
    seen = take() if readings is None else readings
    return [finding for check in (*CAPABILITIES, *DISTURBANCES) for finding in check(seen)]
