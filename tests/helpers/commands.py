"""What tests of commands share: the smallest real measurement, where the command is, and a command
in this process.
"""

from __future__ import annotations

import io
import os
import signal
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from harness.cli import main

# Two arms and the canary, in two launches.
SMALL = (
    "task.launches=2",
    "task.most_launches=2",
    "task.blocks=2",
    "task.sample_seconds=0.001",
    "implementations=[torch_native,torch_unfused]",
    "device.threads=1",
)


@dataclass(frozen=True)
class Ran:
    """What became of a command."""

    returncode: int
    stdout: str
    stderr: str


def small(*overrides):
    """The same with other values of some keys, none of which a command takes twice."""
    given = {word.partition("=")[0] for word in overrides}
    return (*(word for word in SMALL if word.partition("=")[0] not in given), *overrides)


def command(*arguments):
    return [str(Path(sys.executable).parent / "bnbench"), *arguments]


def run_here(*arguments: str) -> Ran:
    """Run a command in this process and its working directory, which is left as it was: a usage
    error costs milliseconds, a run no imports.
    """
    out, err = io.StringIO(), io.StringIO()
    handler = signal.getsignal(signal.SIGTERM)
    with (
        redirect_stdout(out),
        redirect_stderr(err),
        mock.patch.object(sys, "argv", ["bnbench"]),
        mock.patch.dict(os.environ),
    ):
        status = main(arguments)
    signal.signal(signal.SIGTERM, handler)
    return Ran(status, out.getvalue(), err.getvalue())
