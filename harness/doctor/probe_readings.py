"""What the doctor's worker does: read the C++ bandwidth probes in turn, for a while."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil

from harness.bandwidth import probe

# Calls of so long are timed together: far above the clock's resolution, far below a lasting state.
GROUP_SECONDS = 1e-3
LEAST_ROUNDS = 2
WARM_UP_CALLS = 6


@dataclass(frozen=True)
class ProbeReadings:
    """When a probe was read, in seconds from the beginning, and its bytes per second then."""

    at: list[float] = field(default_factory=list)
    rate: list[float] = field(default_factory=list)


def read_probes(
    progress: Callable[[str], None], *, seconds: float, probes: Sequence[tuple[str, int]]
) -> list[ProbeReadings]:
    """The readings of each probe, which is given by name and working set in bytes, interleaved for
    ``seconds``.

    Raises ``Unavailable`` without the C++.
    """
    arms = [probe(name, size) for name, size in probes]
    calls = [_calls(arm) for arm in arms]
    readings = [ProbeReadings() for _ in arms]
    began, rounds = time.perf_counter(), 0
    while rounds < LEAST_ROUNDS or time.perf_counter() - began < seconds:
        for arm, count, found in zip(arms, calls, readings, strict=True):
            start = time.perf_counter()
            for _ in range(count):
                arm()
            found.at.append(start - began)
            found.rate.append(count * arm.traffic.bytes / (time.perf_counter() - start))
        rounds += 1
        progress(f"bandwidth: {min(time.perf_counter() - began, seconds):.0f} of {seconds:.0f} s")
    return readings


def _calls(arm: Callable[[], None]) -> int:
    """How many calls take ``GROUP_SECONDS``, by the quickest of a few."""
    took = []
    for _ in range(WARM_UP_CALLS):
        start = time.perf_counter()
        arm()
        took.append(time.perf_counter() - start)
    return max(1, ceil(GROUP_SECONDS / min(took)))
