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


def command(*arguments):
    return [str(Path(sys.executable).parent / "bnbench"), *arguments]
