"""Attempts at MLflow, none of which may cost a measurement. What fails is tried again later, and at
the end of the session: the journal has everything meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from rich.console import Console
from rich.markup import escape

from harness.formatting import line
from harness.isolation import interruption
from harness.tracking import TrackingError

LONGEST = 1000  # characters of a message

Answer = TypeVar("Answer")
PAUSE = 60.0  # seconds after a failure in which nothing is tried: a failure may take 20
PATIENCE = 90.0  # seconds, at the end, for a store that others have locked
LOOK = 2.0  # seconds between two attempts then


class _Attempts:
    """Of this process: when the last one failed, and what is to be done again."""

    def __init__(self) -> None:
        self.failed: float | None = None
        self.left: list[Callable[[], object]] = []

    @property
    def paused(self) -> bool:
        return self.failed is not None and time.monotonic() - self.failed < PAUSE

    def fail(self, error: TrackingError) -> None:
        if self.failed is None:
            _tell(f"tracking failed, measuring goes on and MLflow is tried again: {error}")
        self.failed = time.monotonic()


_attempts = _Attempts()


def attempt(action: Callable[[], Answer], *, patience: float = 0.0) -> Answer | None:
    """Do something in MLflow; None where that fails, or something failed a short while ago. The
    first failure is reported. A locked store is waited for with ``patience``, in seconds.
    """
    if _attempts.paused:
        return None
    try:
        return _patiently(action, patience)
    except TrackingError as error:
        _attempts.fail(error)
        return None


def attempt_until_done(action: Callable[[], object]) -> None:
    """The same, and what fails is done again after a pause, or by `catch_up`."""
    _attempts.left.append(action)
    if not _attempts.paused:
        try:
            _do_what_is_left()
        except TrackingError as error:
            _attempts.fail(error)


def catch_up() -> None:
    """Do what is left, and wait a while for a locked store. What cannot be done is reported."""
    try:
        _patiently(_do_what_is_left, PATIENCE)
    except TrackingError as error:
        _tell(f"MLflow lacks {len(_attempts.left)} entries of this run: {error}")
        _attempts.left.clear()


def _patiently(action: Callable[[], Answer], patience: float) -> Answer:
    deadline = time.monotonic() + patience
    while True:
        try:
            return action()
        except TrackingError as error:
            if not error.busy or interruption.requested() or time.monotonic() > deadline:
                raise
            _tell(f"MLflow's store is locked; it is waited for, {patience:g} s at most")
            time.sleep(LOOK)


def _do_what_is_left() -> None:
    while _attempts.left:
        _attempts.left[0]()
        del _attempts.left[0]
    _attempts.failed = None


def _tell(message: str) -> None:
    Console(stderr=True).print(f"[yellow]{escape(line(message, LONGEST))}[/]", soft_wrap=True)
