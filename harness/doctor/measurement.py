"""The noise of this machine, measured for about a minute: the same code against itself, and how
steadily memory moves.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from harness.bandwidth import lacking
from harness.config import Config, ThroughputConfig
from harness.doctor.bandwidth import Bandwidth, watch
from harness.doctor.noise import TIMES, Noise, measure_noise, situations
from harness.isolation import Killed, Overdue, RemoteError, Settings
from harness.isolation.device_lock import device_lease
from harness.timing.launch import NotOK
from harness.timing.launch_pool import Pool

SECONDS = 60.0  # by default
WATCHED = 0.25  # of the time, for bandwidth
FIRST = 0.55  # of the rest, for the first problem, which pays for starting the launches
TIMEOUT = 600.0  # seconds that one answer of a worker may take, as in a task


@dataclass(frozen=True)
class Measurement:
    """What was measured, with how many threads on which CPUs, and in how many seconds; why what is
    absent is so.
    """

    threads: int
    cpus: tuple[int, ...]
    baseline: str
    alpha: float
    margin: float
    seconds: float
    noises: tuple[Noise, ...]
    bandwidths: tuple[Bandwidth, ...]
    absent: dict[str, str]

    def to_data(self) -> dict[str, Any]:
        """Plain data for JSON; seconds, bytes per second, standard deviations of log-ratios."""
        data = asdict(self)
        for noise in data["noises"]:
            for kind in ("findable", "findable_running"):
                noise[kind] = [
                    noise[kind][seconds] or {"seconds": seconds, "effect": None}
                    for seconds in TIMES
                ]
        return data


def settings_of(threads: int | None) -> Settings:
    """A worker with so many threads, or with one for each CPU. Raises ValueError for more of them
    than CPUs, or none.
    """
    allowed = len(os.sched_getaffinity(0))
    if threads is not None and not 1 <= threads <= allowed:
        raise ValueError(
            f"{threads} threads; allowed: 1 to {allowed}, the CPUs that this process may use"
        )
    return Settings(threads or allowed)


def measure(settings: Settings, seconds: float, announce: Callable[[str], None]) -> Measurement:
    """Measure for about ``seconds`` on such a worker's CPUs, while no timed section of a run goes
    on.

    A problem takes two launches at least, however long they take; one whose turn comes when the
    time is up is absent.
    """
    absent: dict[str, str] = {}
    announce("nothing yet: timed sections of other runs come first")
    with device_lease(settings.device):
        began = time.monotonic()
        noises = _noises(settings, seconds * (1 - WATCHED), announce, absent)
        bandwidths = _bandwidths(settings, seconds * WATCHED, announce, absent)
    return Measurement(
        settings.threads,
        tuple(settings.cpus),
        Config.baseline,
        Config.alpha,
        Config.margin,
        time.monotonic() - began,
        tuple(noises),
        tuple(bandwidths),
        absent,
    )


def _noises(
    settings: Settings, seconds: float, announce: Callable[[str], None], absent: dict[str, str]
) -> list[Noise]:
    """Problem by problem, in the same launches: as many as the first one found time for."""
    found: list[Noise] = []
    problems, began = situations(settings.threads), time.monotonic()
    with Pool(settings, TIMEOUT) as pool:
        for index, (name, problem) in enumerate(problems.items()):
            left = seconds - (time.monotonic() - began)
            if left <= 0:
                absent[name] = f"the {seconds:.0f} s for this were up before its turn"
                continue
            share = left / (len(problems) - index) if found else left * FIRST
            launches, start = (
                (found[0].launches, found[0].cost.start)
                if found
                else (ThroughputConfig.launches, None)
            )
            try:
                found.append(
                    measure_noise(pool, name, problem, settings, launches, share, start, announce)
                )
            except NotOK as out:
                absent[name] = f"{out.status}: {out.reason}"
    return found


def _bandwidths(
    settings: Settings,
    seconds: float,
    announce: Callable[[str], None],
    absent: dict[str, str],
) -> list[Bandwidth]:
    missing = lacking()
    if missing is not None:
        absent["bandwidth"] = missing.reason
        return []
    try:
        return watch(settings, seconds, announce)
    except (RemoteError, Killed, Overdue) as error:
        absent["bandwidth"] = str(error)
        return []
