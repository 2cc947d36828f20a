"""What a worker's process is to its parent, however it was started."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Protocol

from harness.isolation.messages import StartOptions
from harness.isolation.settings import WorkerSettings
from harness.records import to_json

START_TIMEOUT = 120.0  # seconds; importing torch takes 1.5 on a quiet machine


class Process(Protocol):
    """The part of ``subprocess.Popen`` that a worker's parent uses."""

    @property
    def pid(self) -> int: ...

    def kill(self) -> None:
        """Harmless where the process has ended."""

    def poll(self) -> int | None:
        """Its exit status, or minus the number of the signal that ended it; None while it runs."""

    def wait(self) -> int:
        """The same, when it has ended."""


# Starts a worker of a module whose standard output and error go to a file descriptor.
Start = Callable[[str, WorkerSettings, StartOptions, int], Process]


def execute(module: str, settings: WorkerSettings, options: StartOptions, output: int) -> Process:
    """A new interpreter, which imports everything anew: for whatever is timed, since where the
    libraries lie in memory is one of the things in which two launches differ; and for whatever has
    code of its own.
    """
    # -P keeps the working directory off the import path: a user's own folder named conf must
    # not hide ours.
    return subprocess.Popen(
        [settings.place.interpreter or sys.executable, "-P", "-m", module, to_json(options)],
        env=settings.environment(),
        pass_fds=(options.requests, options.replies),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
    )
