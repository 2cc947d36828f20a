"""What is measured in a cell, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.isolation import Arm
from harness.records import (
    Accuracy,
    BlockConditions,
    Bytes,
    Cost,
    MemoryUse,
    Protocol,
    StopReason,
    TimedSample,
    TimeSpent,
)
from harness.timing.launch import ArmFailed
from harness.timing.messages import CellSetup

# Arms that move the least traffic, by the kind of stores that they use.
FLOORS = {"floor/ordinary": "ordinary", "floor/streaming": "streaming"}


@dataclass(frozen=True)
class CellSpec:
    """A cell's operands, its arms, the baseline and the canary among them, and its sampling.

    ``accuracy`` is the relative error beyond which an arm is INACCURATE, if there is a bound.
    """

    setup: CellSetup
    arms: Mapping[str, Arm]
    baseline: str
    canary: str
    protocol: Protocol
    alpha: float
    margin: float
    accuracy: float | None = None


@dataclass
class CellMeasurement:
    """What came of a cell, by arm.

    ``costs`` and ``steady``, whether its warm-up ended, have an entry for each launch. ``failures``
    are the arms that are out, ``stopped`` says why sampling ended.
    """

    samples: dict[str, list[TimedSample]] = field(default_factory=dict)
    costs: dict[str, list[Cost]] = field(default_factory=dict)
    memory: dict[str, MemoryUse] = field(default_factory=dict)
    accuracy: dict[str, Accuracy] = field(default_factory=dict)
    instruction_sets: dict[str, Mapping[str, str]] = field(default_factory=dict)
    steady: dict[str, list[bool]] = field(default_factory=dict)
    blocks: list[BlockConditions] = field(default_factory=list)
    floor_bytes: Bytes | None = None
    cpus: tuple[int, ...] = ()
    failures: dict[str, ArmFailed] = field(default_factory=dict)
    stopped: StopReason = StopReason.UNKNOWN
    spent: TimeSpent = TimeSpent()
