"""Where a cell's wall time goes, kept while it is measured."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Literal

from harness.records import Seconds, TimeSpent
from harness.timing.messages import TimingResult

Activity = Literal["starting", "preparing", "checking", "timed", "untimed"]


class TimeAccount:
    """Adds up seconds by activity. Its wall time is that of `running`, since a cell is measured
    with others in between.
    """

    def __init__(self) -> None:
        self._wall = 0.0
        self._seconds: dict[Activity, float] = defaultdict(float)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the wall time of this block."""
        began = time.monotonic()
        try:
            yield
        finally:
            self._wall += time.monotonic() - began

    @contextmanager
    def on(self, activity: Activity) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            self._seconds[activity] += time.monotonic() - began

    def add(self, activity: Activity, seconds: float) -> None:
        self._seconds[activity] += seconds

    def add_samples(self, results: Iterable[TimingResult]) -> None:
        for result in results:
            self._seconds["timed"] += result.seconds
            self._seconds["untimed"] += result.untimed

    def total(self) -> TimeSpent:
        arms = sum(self._seconds[activity] for activity in ("preparing", "timed", "untimed"))
        by_activity = {name: Seconds(seconds) for name, seconds in self._seconds.items()}
        return TimeSpent(wall=Seconds(self._wall), own=Seconds(self._wall - arms), **by_activity)
