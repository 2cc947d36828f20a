"""The launches of a task, started when first needed and kept alive from cell to cell."""

from __future__ import annotations

from typing import Self

from harness.isolation import WorkerSettings
from harness.timing.launch import Launch


class LaunchPool:
    """``pool[3]`` is the fourth launch."""

    def __init__(self, settings: WorkerSettings, timeout: float) -> None:
        self._settings, self._timeout = settings, timeout
        self._launches: list[Launch] = []

    def __getitem__(self, index: int) -> Launch:
        while len(self._launches) <= index:
            self._launches.append(Launch(self._settings, self._timeout))
        return self._launches[index]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for launch in self._launches:
            launch.close()
