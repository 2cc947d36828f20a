"""What tests of commands share: the smallest real measurement, and where the command is."""

from __future__ import annotations

import sys
from pathlib import Path

# Two arms and the canary, in two launches.
SMALL = (
    "task.launches=2",
    "task.most_launches=2",
    "task.blocks=2",
    "task.sample_seconds=0.001",
    "implementations=[torch_native,torch_unfused]",
    "device.threads=1",
)


def small(*overrides):
    """The same with other values of some keys, none of which a command takes twice."""
    given = {word.partition("=")[0] for word in overrides}
    return (*(word for word in SMALL if word.partition("=")[0] not in given), *overrides)


def command(*arguments):
    return [str(Path(sys.executable).parent / "bnbench"), *arguments]
