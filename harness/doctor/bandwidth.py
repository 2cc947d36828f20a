"""How fast memory moves bytes, watched for a while: the C++ probes in turn, in a worker, and what
their readings say.

Bytes are those that a probe reads and writes. What a cache fetches because an ordinary store needs
its line is not counted, as in McCalpin's STREAM, so a copy that streams may seem to be the faster
by half.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median, quantiles
from typing import Any

from harness.bandwidth import cache_bytes, probe
from harness.doctor.changepoints import Course, course
from harness.environment import machine
from harness.isolation import Host, Settings

PROBES = ("read", "copy", "streaming copy", "2 reads, 1 write")
# of calls timed together: far above the clock's resolution, far below any state that lasts
GROUP_SECONDS = 1e-3
BEYOND = 4  # times the caches
MEMORY_SHARE = 16  # of the memory available, at most one part in so many for a probe
LEAST_ROUNDS = 2
WARM_UP_CALLS = 6
SPARE_SECONDS = 60.0  # past the time asked for, after which a worker is taken to hang


@dataclass(frozen=True)
class Bandwidth:
    """A probe's bytes per second over the time it was watched. ``low`` and ``high``: 5 and 95 % of
    readings are below.
    """

    probe: str
    place: str
    working_set: int
    median: float
    low: float
    high: float
    readings: int
    seconds: float
    course: Course


def watch(settings: Settings, seconds: float, announce: Callable[[str], None]) -> list[Bandwidth]:
    """Every probe in the caches and beyond them, interleaved for ``seconds``, by the threads and on
    the CPUs of a worker.

    Raises ``RemoteError``, of kind "Unavailable" where the C++ is not built, ``Killed`` or
    ``Overdue``.
    """
    asked = [
        (name, place, size)
        for place, size in working_sets(settings.threads).items()
        for name in PROBES
    ]
    with Host(settings) as host:
        told = host.call(
            "doctor.bandwidth",
            seconds + SPARE_SECONDS,
            announce,
            seconds=seconds,
            probes=[[name, size] for name, _, size in asked],
        )
    return [
        summary(*what, readings["at"], readings["rate"])
        for what, readings in zip(asked, told, strict=True)
    ]


def working_sets(threads: int) -> dict[str, int]:
    """Bytes of all buffers of a probe: half of the threads' L2, and four times all caches where
    memory allows it.
    """
    processor = machine.processor()
    last_level, all_caches = cache_bytes(processor, 0), cache_bytes(processor, threads)
    own = all_caches - last_level or last_level
    return {
        "in cache": own // 2,
        "beyond cache": min(BEYOND * all_caches, machine.memory()["MemAvailable"] // MEMORY_SHARE),
    }


def summary(
    name: str, place: str, working_set: int, at: Sequence[float], rate: Sequence[float]
) -> Bandwidth:
    """What readings in bytes per second, taken at those seconds, say."""
    twentieths = quantiles(rate, n=20, method="inclusive")
    return Bandwidth(
        name,
        place,
        working_set,
        median(rate),
        twentieths[0],
        twentieths[-1],
        len(rate),
        at[-1] - at[0],
        course(at, rate),
    )


def run(
    progress: Callable[[Any], None], *, seconds: float, probes: Sequence[tuple[str, int]]
) -> list[dict[str, list[float]]]:
    """The worker's side: for each (name, working set) when it was read, and the bytes per second.

    Raises ``Unavailable`` without the C++.
    """
    arms = [probe(name, size) for name, size in probes]
    calls = [_calls(arm) for arm in arms]
    readings: list[dict[str, list[float]]] = [{"at": [], "rate": []} for _ in arms]
    began, rounds = time.perf_counter(), 0
    while rounds < LEAST_ROUNDS or time.perf_counter() - began < seconds:
        for arm, count, found in zip(arms, calls, readings, strict=True):
            start = time.perf_counter()
            for _ in range(count):
                arm()
            found["at"].append(start - began)
            found["rate"].append(count * arm.traffic.bytes / (time.perf_counter() - start))
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
