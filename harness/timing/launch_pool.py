"""The launches of a task, started when first needed and kept alive from cell to cell."""

from __future__ import annotations

from typing import Self

from harness.isolation import WorkerSettings
from harness.timing.launch import ArmFailed, Launch


class LaunchPool:
    """``pool[3]`` is the fourth launch."""

    def __init__(self, settings: WorkerSettings, timeout: float) -> None:
        self._settings, self._timeout = settings, timeout
        self._launches: list[Launch] = []
        self._unloadable: dict[str, ArmFailed] = {}

    def __getitem__(self, index: int) -> Launch:
        while len(self._launches) <= index:
            self._launches.append(Launch(self._settings, self._timeout, self._unloadable))
        return self._launches[index]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for launch in self._launches:
            launch.close()
