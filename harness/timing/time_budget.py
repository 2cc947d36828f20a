"""Where a cell's wall time went."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from harness.timing.timing_result import Taken


class Spent:
    """Seconds by what they were spent on. ``own`` is the harness's own share: all but the arms'
    preparation and calls.
    """

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._seconds: dict[str, float] = defaultdict(float)

    @contextmanager
    def on(self, activity: str) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            self._seconds[activity] += time.monotonic() - began

    def add(self, activity: str, seconds: float) -> None:
        self._seconds[activity] += seconds

    def on_calls(self, taken: Iterable[Taken]) -> None:
        for sample in taken:
            self._seconds["timed"] += sample.seconds
            self._seconds["untimed"] += sample.untimed

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self._began

    def figures(self) -> dict[str, float]:
        """``wall`` seconds, and of them: ``starting`` processes, ``preparing`` arms, ``checking``
        them, ``timed`` and ``untimed`` calls; ``own`` is what is neither preparation nor calls.
        """
        wall = self.elapsed
        arms = sum(self._seconds[activity] for activity in ("preparing", "timed", "untimed"))
        return {"wall": wall, **self._seconds, "own": wall - arms}
