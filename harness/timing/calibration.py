"""How many calls make a sample that is long enough to time.

Pure of processes and clocks: a `Sampler` does the sampling, so that a test can give one of its own.
"""

from __future__ import annotations

from math import ceil
from typing import Protocol

from harness.timing.messages import TimingResult

GROWTH = 10  # at most tenfold at a time: a first call may be slow for reasons that do not last


class Sampler(Protocol):
    """What takes samples of arms: a launch, or a stand-in with a clock of its own."""

    def sample(self, arm: str, calls: int, untimed: int) -> TimingResult:
        """``calls`` calls of ``arm`` timed together, after ``untimed`` ones."""


def calibrate(sampler: Sampler, arm: str, least_seconds: float, most_calls: int) -> int:
    """How many calls make a sample of ``least_seconds``: enough that the clock's resolution is far
    under 1 % of it.
    """
    calls = 1
    while True:
        seconds = sampler.sample(arm, calls, calls).seconds
        if seconds >= least_seconds or calls >= most_calls:
            return calls
        wanted = ceil(calls * 1.1 * least_seconds / seconds) if seconds > 0 else calls * GROWTH
        calls = min(max(wanted, calls + 1), calls * GROWTH, most_calls)
