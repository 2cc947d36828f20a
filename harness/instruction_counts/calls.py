"""What is counted, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.records import Status
from implementations.interface import Outputs, Phase, Problem
from implementations.registry import Specification

# Beside the two faces of an implementation, one whole call of `batch_norm` from Python: what that
# adds to the layer is overhead that each user pays.
Way = Literal["kernel", "layer", "batch_norm"]


@dataclass(frozen=True)
class CountedCall:
    """One call of an implementation, with one thread on the CPU."""

    implementation: Specification
    problem: Problem
    phase: Phase
    way: Way = "kernel"
    outputs: Outputs = "fresh"


@dataclass(frozen=True)
class Counts:
    """Of one call: ``instructions`` that were executed, and by the model of the caches the lines
    that reads and writes of data fetched from memory.
    """

    instructions: int
    read_lines: int
    written_lines: int

    @property
    def lines(self) -> int:
        return self.read_lines + self.written_lines


@dataclass(frozen=True)
class CountOutcome:
    """What became of a call. ``counts`` are there where the status is OK, else the ``reason``."""

    call: CountedCall
    status: Status
    counts: Counts | None = None
    reason: str | None = None
