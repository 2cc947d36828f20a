"""How fast memory moves bytes, watched for a while by the C++ probes in turn, in a worker.

Bytes are those that a probe reads and writes. Cache lines that are fetched only because an ordinary
store needs them are not counted, as in McCalpin's STREAM, so a copy with streaming stores may seem
faster by half.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from harness.bandwidth import cache_bytes
from harness.doctor.changepoints import Course, course
from harness.doctor.probe_readings import ProbeReadings
from harness.environment import machine
from harness.isolation import WorkerProcess, WorkerSettings

WORKER = "harness.doctor.worker"
PROBES = ("read", "copy", "streaming copy", "2 reads, 1 write")
BEYOND = 4  # times the caches
MEMORY_SHARE = 16  # a probe takes at most one part in so many of the available memory
SPARE_SECONDS = 60.0  # beyond the time asked for, after which a worker counts as hanging


@dataclass(frozen=True)
class Bandwidth:
    """A probe's bytes per second over the ``seconds`` for which it was watched.

    ``low`` and ``high`` are the 5 % and 95 % quantiles of the readings, ``working_set`` the bytes
    of its buffers.
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


def watch(
    settings: WorkerSettings, seconds: float, announce: Callable[[str], None]
) -> list[Bandwidth]:
    """Every probe in the caches and beyond them, interleaved for ``seconds``, by the threads and on
    the CPUs of a worker.

    Raises ``WorkerError``, of kind "Unavailable" where the C++ is not built, ``WorkerDied`` or
    ``WorkerTimedOut``.
    """
    sizes = working_sets(settings.threads)
    probes = [(name, place, size) for place, size in sizes.items() for name in PROBES]
    with WorkerProcess(WORKER, settings) as worker:
        watched = worker.call(
            "read_probes",
            tuple[ProbeReadings, ...],
            seconds + SPARE_SECONDS,
            lambda text: announce(str(text)),
            seconds=seconds,
            probes=[(name, size) for name, _, size in probes],
        )
    return [
        summary(*probe, readings.at, readings.rate)
        for probe, readings in zip(probes, watched, strict=True)
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
    """The bandwidth of a probe from its readings, ``rate`` in bytes per second, taken ``at``
    seconds.
    """
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
