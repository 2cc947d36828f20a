"""The noise of this machine, measured for about a minute: of the same code against itself, and of
memory's bandwidth.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from harness.bandwidth import missing_library
from harness.config import Config, ThroughputConfig
from harness.doctor.bandwidth import Bandwidth, watch
from harness.doctor.noise import TIMES, Noise, measure_noise, situations
from harness.doctor.power_planning import SamplingPlan
from harness.environment import cpus
from harness.isolation import WorkerSettings
from harness.isolation.failures import WORKER_FAILURES
from harness.isolation.machine_lock import machine_lock
from harness.records import Plain, plain_fields
from harness.timing.arm_failure import ArmFailed
from harness.timing.launch_pool import LaunchPool

SECONDS = 60.0  # by default
WATCHED = 0.25  # share of the time for bandwidth
FIRST = 0.55  # share of the rest for the first problem, which pays for starting the launches
TIMEOUT = 600.0  # seconds that one answer of a worker may take, as in a task


@dataclass(frozen=True)
class Measurement:
    """What was measured in ``seconds``, with so many ``threads`` on those ``cpus``.

    ``absent`` has the reason for each problem, or "bandwidth", that could not be measured.
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

    def to_data(self) -> dict[str, Plain]:
        """Plain data for JSON; seconds, bytes per second, standard deviations of log-ratios."""
        return {**plain_fields(self), "noises": [_noise_data(noise) for noise in self.noises]}


def _noise_data(noise: Noise) -> dict[str, Plain]:
    """With a list of plans, one for each of `TIMES`, since JSON has no numbers as keys."""
    plans = {"findable": noise.findable, "findable_running": noise.findable_running}
    listed = {name: [_plan_data(found, time) for time in TIMES] for name, found in plans.items()}
    return {**plain_fields(noise), **listed}


def _plan_data(plans: Mapping[float, SamplingPlan | None], seconds: float) -> Plain:
    plan = plans[seconds]
    return {"seconds": seconds, "effect": None} if plan is None else plain_fields(plan)


def settings_of(threads: int | None) -> WorkerSettings:
    """A worker with so many threads, by default as many as a run has.

    Raises ValueError for no threads, or more than CPUs.
    """
    allowed = len(os.sched_getaffinity(0))
    if threads is not None and not 1 <= threads <= allowed:
        raise ValueError(
            f"{threads} threads; allowed: 1 to {allowed}, the CPUs that this process may use"
        )
    return WorkerSettings(threads or cpus.usable())


def measure(
    settings: WorkerSettings, seconds: float, announce: Callable[[str], None]
) -> Measurement:
    """Measure for about ``seconds`` on such a worker's CPUs, while nothing of bnbench computes
    beside it.

    A problem gets two launches at least, however long they take; one for which no time is left is
    absent.
    """
    absent: dict[str, str] = {}
    announce("nothing yet: other runs come first")
    with machine_lock():
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
    settings: WorkerSettings,
    seconds: float,
    announce: Callable[[str], None],
    absent: dict[str, str],
) -> list[Noise]:
    """Problem by problem, in the same launches: as many as there was time for with the first
    one.
    """
    found: list[Noise] = []
    problems, began = situations(settings.threads), time.monotonic()
    with LaunchPool(settings, TIMEOUT) as pool:
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
            except ArmFailed as failure:
                absent[name] = f"{failure.status}: {failure.reason}"
    return found


def _bandwidths(
    settings: WorkerSettings,
    seconds: float,
    announce: Callable[[str], None],
    absent: dict[str, str],
) -> list[Bandwidth]:
    missing = missing_library()
    if missing is not None:
        absent["bandwidth"] = missing.reason
        return []
    try:
        return watch(settings, seconds, announce)
    except WORKER_FAILURES as error:
        absent["bandwidth"] = str(error)
        return []
