"""Which CPUs to compute on, and how many: whole cores before their second hyperthreads, and no more
threads than the control groups' quota lets run.
"""

from __future__ import annotations

import os
from pathlib import Path

from harness.environment.machine import ROOT, quota, siblings


def usable(root: Path = ROOT) -> int:
    """How many threads can run all the time: of the CPUs that this process may use, as many as its
    quota pays for, and one at least.
    """
    allowed, limit = len(os.sched_getaffinity(0)), quota(root)
    return allowed if limit is None else max(1, min(allowed, int(limit)))


def by_preference(root: Path = ROOT) -> list[int]:
    """The CPUs that this process may use: one of each core, then the second of each, and so on.

    The last come first, since interrupts favour the first.
    """
    cores: dict[str, list[int]] = {}
    for cpu in sorted(os.sched_getaffinity(0), reverse=True):
        cores.setdefault(siblings(cpu, root) or f"cpu {cpu}", []).append(cpu)
    threads = max(map(len, cores.values()))
    rounds = ([own[turn] for own in cores.values() if turn < len(own)] for turn in range(threads))
    return [cpu for one_of_each in rounds for cpu in one_of_each]


def limit(root: Path = ROOT) -> str | None:
    """What a quota takes away, in words; None where it takes nothing."""
    allowed, found = len(os.sched_getaffinity(0)), quota(root)
    if found is None or found >= allowed:
        return None
    return f"the control group's quota is {found:g} of the {allowed} CPUs that may be used"
