"""Launches, those of a pilot started side by side, and all kept alive from cell to cell and, in a
sweep, from job to job: starting a process and importing PyTorch takes seconds.

The unit of replication stays the launch within a cell: each cell is measured in several.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Collection, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from harness.environment import machine
from harness.isolation import HERE, Arm, WorkerSettings
from harness.isolation.settings import meaningful
from harness.timing.arm_failure import ArmFailed
from harness.timing.hosts import Host
from harness.timing.launch import Launch
from implementations import registry

MOST_KEPT = 2  # pools, each with the processes of some launches, of 0.3 GB each
# Launches started before they are needed: of more, a budget may be spent before their turn.
MOST_AHEAD = 8
# Of the memory, what is left for the operands of cells and for others: where less is, a launch that
# begins takes the place of another.
LEAST_FREE = 0.25


class LaunchPool:
    """``pool[3]`` is the fourth launch."""

    def __init__(self, settings: WorkerSettings, timeout: float) -> None:
        self._settings, self._timeout = settings, timeout
        self._launches: list[Launch] = []
        self._unloadable: dict[Host, ArmFailed] = {}

    def __getitem__(self, index: int) -> Launch:
        while len(self._launches) <= index:
            self._launches.append(Launch(self._settings, self._timeout, self._unloadable))
        return self._launches[index]

    def start(self, count: int, arms: Collection[Arm]) -> None:
        """Have the processes of the first ``count`` launches ready for these arms, started side by
        side where there are several CPUs. When it returns none of them has anything left to do, so
        that what is timed next is alone.
        """
        ahead, together = range(min(count, MOST_AHEAD)), len(os.sched_getaffinity(0))
        for first in ahead[::together]:
            self._start(ahead[first : first + together], arms)

    def start_one(self, index: int, arms: Collection[Arm]) -> None:
        """The same of a single launch, whose processes start side by side."""
        self._start([index], arms)

    def _start(self, indices: Collection[int], arms: Collection[Arm]) -> None:
        launches = [self._with_room(index) for index in indices]
        implementations = [arm.implementation for arm in arms if arm.place == HERE]
        own = [name for name in implementations if not registry.is_foreign(name)]
        names = sorted({registry.name_of(name) for name in own})
        # Begun in this thread, with whose end the kernel would kill them.
        for launch in launches:
            launch.begin_start(arms)
        with ThreadPoolExecutor(len(launches)) as waiting:
            list(waiting.map(lambda launch: launch.await_start(names), launches))

    def _with_room(self, index: int) -> Launch:
        """A launch that may start. Where memory is short it takes the place of the newest before
        it, which is needed again last: a cell goes through all of them in order.
        """
        launch = self[index]
        if not launch.is_started and _memory_is_short():
            for other in [each for each in self._launches[:index] if each.is_started][-1:]:
                other.close()
        return launch

    def clear(self) -> None:
        """Give back the memory of a cell that was begun in any; the processes stay."""
        for launch in self._launches:
            launch.clear()

    def close(self) -> None:
        for launch in self._launches:
            launch.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True)
class _Origin:
    """What a pool's processes are started with, and what is loaded into them: only a job that has
    all of it in common can be measured in the same ones. ``sources`` has the hash of each arm's
    source, since a process goes on with the source that it has imported.
    """

    settings: WorkerSettings
    timeout: float
    folder: Path
    environment: frozenset[tuple[str, str]]
    sources: frozenset[tuple[str, str]]


class KeptLaunches:
    """The pools of this process. Outside `keep` and `close`, one lasts for a job."""

    def __init__(self) -> None:
        self._keeps = False
        self._kept: dict[_Origin, LaunchPool] = {}  # the oldest use first; none that is in use

    def keep(self) -> None:
        """From now on, keep pools for the jobs that follow."""
        self._keeps = True

    def close(self) -> None:
        """End what is kept, and keep nothing more."""
        self._keeps = False
        self._close_all_but(0)

    @contextmanager
    def pool(
        self, settings: WorkerSettings, timeout: float, sources: Mapping[str, str]
    ) -> Generator[LaunchPool]:
        """A pool for one job: the one of a job before it with all of this in common, or a new one.
        It ends with the block where that is left by an exception, in the midst of something.
        """
        origin = _Origin(
            settings,
            timeout,
            Path.cwd(),
            meaningful(settings.environment()),
            frozenset(sources.items()),
        )
        pool = self._kept.pop(origin, None) or LaunchPool(settings, timeout)
        try:
            yield pool
            pool.clear()
        except BaseException:
            pool.close()
            raise
        self._kept[origin] = pool
        self._close_all_but(MOST_KEPT if self._keeps else 0)

    def _close_all_but(self, most: int) -> None:
        for origin in list(self._kept)[: max(0, len(self._kept) - most)]:
            self._kept.pop(origin).close()


def _memory_is_short() -> bool:
    return machine.memory()["MemAvailable"] < LEAST_FREE * machine.memory_total()


LAUNCHES = KeptLaunches()
atexit.register(LAUNCHES.close)
