"""What travels between timing's two halves: plain data on the pipe to a worker process."""

from __future__ import annotations

from dataclasses import dataclass

from harness.config.choices import Inputs
from harness.records import Accuracy, Seconds
from implementations.interface import Face, Outputs, Phase, Problem


@dataclass(frozen=True)
class CellSetup:
    """What a worker needs to make a cell's operands, ``sets`` times over in a cold cell."""

    problem: Problem
    phase: Phase
    face: Face
    outputs: Outputs
    device: str
    seed: int
    inputs: Inputs
    sets: int = 1


@dataclass(frozen=True)
class CheckResult:
    """Why an arm is WRONG, or None where nothing is wrong; and how long looking took.

    ``accuracy`` is of an arm that is not, where all that `verify` was asked for was compared.
    """

    reason: str | None
    seconds: Seconds
    accuracy: Accuracy | None = None


@dataclass(frozen=True)
class TimingResult:
    """One timed group of calls.

    ``untimed`` are the seconds of the calls before them and of what those consume. ``waited`` is
    how long threads of the process, ready to run, stood in the kernel's queue for a CPU, as a share
    of both; None where the kernel does not tell. ``preempted`` is how often one was put off a CPU.
    ``device_seconds`` is CUDA's own account of the timed calls.
    """

    seconds: Seconds
    untimed: Seconds = Seconds(0.0)
    waited: float | None = None
    preempted: int = 0
    device_seconds: Seconds | None = None
