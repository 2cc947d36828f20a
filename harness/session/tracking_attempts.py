"""Attempts at MLflow, none of which may cost a measurement."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from rich.console import Console
from rich.markup import escape

from harness.tracking import TrackingError

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
        message = f"[yellow]tracking failed, measuring goes on without:[/] {escape(str(error))}"
        Console(stderr=True).print(message)
        _errors.append(error)
        return None
