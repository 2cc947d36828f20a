"""What happened to the machine around a block, and whether that gives cause to doubt the block.

Only what touches the workers themselves gives doubt: time in the kernel's queue, time that the
hypervisor took, a quota that stopped them, a frequency that changed. What others do elsewhere is
recorded and shown; where it does harm, it shows in those, in the canary, or in a probe that
wanders.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.environment.counters import TICKS, Counters, count, work_elsewhere
from harness.environment.machine import ROOT, text
from harness.records import Doubt
from harness.timing.schedule import ScheduledSample

# of the ticks, and ticks: a single one is within the kernel's rounding
STOLEN, LEAST_STOLEN = (0.02, 2)
CHANGED = 0.05  # of the frequency, within a block


@dataclass(frozen=True)
class Reading:
    """The machine at one moment. ``own`` is the CPU seconds of this process and its workers;
    frequency in MHz.
    """

    counters: Counters
    own: float
    load: float
    frequency: float | None


@dataclass(frozen=True)
class MachineActivity:
    """What passed between two readings.

    ``elsewhere`` is the number of CPUs that others used, ``stolen`` the share of the CPUs' time
    that the hypervisor took, ``frequency`` in MHz before and after.
    """

    stolen: float
    stolen_ticks: int
    throttled: int
    elsewhere: float
    load: float
    frequency: tuple[float | None, float | None]


def read(processes: Iterable[int], root: Path = ROOT) -> Reading:
    """A reading, with the workers' process ids: half a millisecond."""
    own = time.process_time() + sum(_cpu_seconds(process, root) for process in processes)
    return Reading(count(root), own, os.getloadavg()[0], _frequency(root))


def between(before: Reading, after: Reading) -> MachineActivity:
    passed = after.counters.since(before.counters)
    return MachineActivity(
        stolen=passed.share(passed.stolen),
        stolen_ticks=passed.stolen,
        throttled=passed.throttled,
        elsewhere=work_elsewhere(passed, after.own - before.own, len(os.sched_getaffinity(0))),
        load=after.load,
        frequency=(before.frequency, after.frequency),
    )


def doubts(activity: MachineActivity, samples: Sequence[ScheduledSample]) -> tuple[Doubt, ...]:
    """Why a block is in doubt; empty where it is not."""
    before, after = activity.frequency
    found = {
        Doubt.WAITING: any(sample.waited_too_long and not sample.retaken for sample in samples),
        Doubt.STEAL: activity.stolen > STOLEN and activity.stolen_ticks >= LEAST_STOLEN,
        Doubt.THROTTLING: activity.throttled > 0,
        Doubt.FREQUENCY: bool(before and after) and abs((after or 0) / (before or 1) - 1) > CHANGED,
    }
    return tuple(doubt for doubt, holds in found.items() if holds)


def _cpu_seconds(process: int, root: Path) -> float:
    """The user and system time of a process and all its threads; nothing where it has gone."""
    fields = text(root / f"proc/{process}/stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS if len(fields) > 12 else 0.0


def _frequency(root: Path) -> float | None:
    """The mean of what the CPUs run at in MHz, where the driver tells; /proc/cpuinfo would stop
    each of them to ask.
    """
    folder = root / "sys/devices/system/cpu"
    names = [f"cpu{cpu}/cpufreq/scaling_cur_freq" for cpu in os.sched_getaffinity(0)]
    kilohertz = [text(folder / name) for name in names]
    return sum(map(int, kilohertz)) / len(kilohertz) / 1000 if all(kilohertz) else None
