"""Attempts at MLflow, none of which may cost a measurement."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from rich.console import Console
from rich.markup import escape

from harness.formatting import line
from harness.tracking import TrackingError

LONGEST = 1000  # characters of a message

Answer = TypeVar("Answer")
_errors: list[TrackingError] = []


def attempt(action: Callable[[], Answer]) -> Answer | None:
    """Do something in MLflow. A failure is reported once, and is the last attempt of this process:
    the journal has everything, and time is dear.
    """
    if _errors:
        return None
    try:
        return action()
    except TrackingError as error:
        reason = escape(line(str(error), LONGEST))
        message = f"[yellow]tracking failed, measuring goes on without:[/] {reason}"
        Console(stderr=True).print(message)
        _errors.append(error)
        return None
