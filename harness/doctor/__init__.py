"""What this machine can measure, and what disturbs it, each with its remedy.

``take`` reads the machine, ``examine`` judges the readings, ``to_data`` makes plain data of the
findings.
"""

from harness.doctor.examination import examine, to_data
from harness.doctor.finding import Finding, State
from harness.doctor.readings import Readings, take

__all__ = ["Finding", "Readings", "State", "examine", "take", "to_data"]
