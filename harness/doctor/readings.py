"""The machine as it is, read once, and what other processes do on it in a fraction of a second."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import sysconfig
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from harness.environment import machine, software
from harness.environment.counters import count, work_elsewhere
from harness.environment.machine import ROOT, Processor, text
from harness.isolation import WorkerSettings
from harness.training.datasets import DATASETS, DataError

WATCH_SECONDS = 0.3


@dataclass(frozen=True)
class Readings:
    """Plain readings, None where the kernel does not tell. Memory and disk in bytes, times in
    seconds.

    ``datasets`` has for each where it is, or the error that says how to get it. ``busy`` is (name,
    id, CPUs in use) of other processes. Of the CPUs that this process is bound to,
    ``work_elsewhere`` is how many all other processes use, visible from here or not, and ``steal``
    the share of time that the hypervisor gave to others. ``overridden`` names environment variables
    for which workers get another value.
    """

    processor: Processor
    gpus: list[str]
    datasets: Mapping[str, str | DataError]
    torch_cuda: str | None
    compiler: str | None
    python_headers: bool
    switches: Mapping[str, str]
    overridden: list[str]
    load: float
    busy: list[tuple[str, int, float]]
    work_elsewhere: float
    steal: float
    throttled: int
    swapped_pages: int
    swap_used: int
    memory_available: int
    disk_free: int
    governor: str | None
    turbo: bool | None
    huge_pages: str | None
    clock_source: str | None
    clock_step: float


def take(seconds: float = WATCH_SECONDS, root: Path = ROOT) -> Readings:
    """Read everything, watching what others do for ``seconds``."""
    before, started = count(root), time.process_time()
    busy = watch(seconds)
    passed, own = count(root).since(before), time.process_time() - started
    memory, processor = machine.memory(root), machine.processor(root)
    return Readings(
        processor=processor,
        gpus=machine.gpus(),
        datasets={name: source.whereabouts() for name, source in DATASETS.items()},
        torch_cuda=torch_cuda(),
        compiler=software.compiler(),
        python_headers=Path(sysconfig.get_path("include"), "Python.h").is_file(),
        switches=software.switches(os.environ),
        overridden=[
            name
            for name, value in WorkerSettings().environment().items()
            if os.environ.get(name, value) != value
        ],
        load=os.getloadavg()[0],
        busy=busy,
        work_elsewhere=work_elsewhere(passed, own, processor.logical),
        steal=passed.share(passed.stolen),
        throttled=passed.throttled,
        swapped_pages=passed.swapped_pages,
        swap_used=memory.get("SwapTotal", 0) - memory.get("SwapFree", 0),
        memory_available=memory["MemAvailable"],
        disk_free=shutil.disk_usage(Path.cwd()).free,
        governor=machine.governor(root),
        turbo=turbo(root),
        huge_pages=machine.huge_pages(root),
        clock_source=text(root / "sys/devices/system/clocksource/clocksource0/current_clocksource")
        or None,
        clock_step=clock_step(),
    )


def watch(seconds: float) -> list[tuple[str, int, float]]:
    """Name, id and CPUs in use of every other process that did anything within ``seconds``, busiest
    first.
    """
    watched = [process for process in psutil.process_iter(["name"]) if process.pid != os.getpid()]
    _usage(watched)
    time.sleep(seconds)
    return sorted(_usage(watched), key=lambda found: -found[2])


def _usage(processes: list[psutil.Process]) -> list[tuple[str, int, float]]:
    """The usage since it was last asked for; a process that has ended in between is passed over."""
    found = []
    for process in processes:
        try:
            cpus = process.cpu_percent() / 100
        except psutil.Error:
            continue
        if cpus > 0:
            found.append((process.info["name"], process.pid, cpus))
    return found


def torch_cuda() -> str | None:
    """The CUDA version that torch was built for, read from its version file without importing
    it.
    """
    spec = importlib.util.find_spec("torch")
    source = text(Path(spec.origin).with_name("version.py")) if spec and spec.origin else ""
    found = re.search(r"^cuda\b[^=]*= '([^']+)'", source, re.MULTILINE)
    return found.group(1) if found else None


def turbo(root: Path = ROOT) -> bool | None:
    """Whether the CPU may go above its nominal frequency."""
    folder = root / "sys/devices/system/cpu"
    match text(folder / "intel_pstate/no_turbo"), text(folder / "cpufreq/boost"):
        case ("0", "") | ("", "1"):
            return True
        case ("1", "") | ("", "0"):
            return False
    return None


def clock_step(clock: Callable[[], int] = time.perf_counter_ns) -> float:
    """The least difference between two readings of the clock, in seconds: its resolution, or what
    reading it costs.
    """
    steps = []
    for _ in range(20):
        start = now = clock()
        while now == start:
            now = clock()
        steps.append(now - start)
    return min(steps) / 1e9
