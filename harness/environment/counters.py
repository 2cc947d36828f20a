"""The kernel's counters of what happens to the CPUs that this process is bound to. Only
differences of two readings mean something.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from harness.environment.machine import ROOT, control_groups, text

TICKS = os.sysconf("SC_CLK_TCK")  # /proc/stat's ticks a second


@dataclass(frozen=True)
class Counters:
    """Ticks of the CPUs that this process is bound to, pages swapped, periods throttled."""

    total: int
    idle: int
    stolen: int
    swapped_pages: int
    throttled: int

    def since(self, before: Counters) -> Counters:
        return Counters(**{name: value - vars(before)[name] for name, value in vars(self).items()})

    def share(self, ticks: float) -> float:
        """``ticks`` as a share of all."""
        return ticks / max(self.total, 1)


def count(root: Path = ROOT) -> Counters:
    """The counters now."""
    lines = text(root / "proc/stat").splitlines()
    names = {f"cpu{cpu}" for cpu in os.sched_getaffinity(0)}
    ours = [line.split() for line in lines if line.split()[0] in names]
    rows = [tuple(map(int, columns[1:9])) for columns in ours]
    # The columns are user, nice, system, idle, iowait, irq, softirq, steal.
    _, _, _, idle, waiting, _, _, stolen = map(sum, zip(*rows, strict=True)) if rows else [0] * 8
    swapped = re.findall(r"^pswp(?:in|out) (\d+)", text(root / "proc/vmstat"), re.MULTILINE)
    groups = control_groups("cpu", root)
    throttled = [re.search(r"nr_throttled (\d+)", text(group / "cpu.stat")) for group in groups]
    return Counters(
        total=sum(map(sum, rows)),
        idle=idle + waiting,
        stolen=stolen,
        swapped_pages=sum(map(int, swapped)),
        throttled=sum(int(found.group(1)) for found in throttled if found),
    )


def work_elsewhere(passed: Counters, own: float, cpus: int) -> float:
    """How many of the CPUs were in use by others, when this process used ``own`` seconds of their
    time.
    """
    return max(passed.share(passed.total - passed.idle - own * TICKS) * cpus, 0.0)
