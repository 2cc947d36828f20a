"""How long cells may be measured."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class TimeBudget:
    """Seconds of warming up and sampling that some cells have together. Starting, preparing,
    compiling and checking are no part of them: what is dear to make ready would cost the others
    their launches.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._clock = seconds, clock
        self._spent = 0.0
        self._since: float | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the seconds of this block."""
        self._since = self._clock()
        try:
            yield
        finally:
            self._spent, self._since = self.spent, None

    @property
    def spent(self) -> float:
        return self._spent + (0.0 if self._since is None else self._clock() - self._since)

    @property
    def left(self) -> float:
        """What is not spent; below 0 where more was spent than there was."""
        return self._seconds - self.spent

    def allowance(self, seconds: float) -> Callable[[], bool]:
        """A function that says whether less than this was spent from now on."""
        end = self.spent + seconds
        return lambda: self.spent < end
