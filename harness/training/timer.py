"""What is due every so many seconds, whatever a step takes."""

from __future__ import annotations

from collections.abc import Callable


class Every:
    """Due once so many ``seconds`` have passed since it last was, or since it was made; with 0,
    always.
    """

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._clock = clock
        self._last = clock()

    def due(self) -> bool:
        now = self._clock()
        if now - self._last < self._seconds:
            return False
        self._last = now
        return True
