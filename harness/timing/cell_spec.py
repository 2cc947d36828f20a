"""What is measured in a cell, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

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
from harness.timing.arm_failure import ArmFailed
from harness.timing.messages import CellSetup

Item = TypeVar("Item")
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
    """What came of a cell, or of one launch of it, by arm.

    ``costs`` and ``steady``, whether its warm-up ended, have an entry for each launch. ``seconds``
    went to an arm's warming up and sampling. ``failures`` are the arms that are out. ``cut_short``
    says that a budget kept a launch from what it would have done, ``stopped`` why there is no
    further one.
    """

    samples: dict[str, list[TimedSample]] = field(default_factory=dict)
    costs: dict[str, list[Cost]] = field(default_factory=dict)
    memory: dict[str, MemoryUse] = field(default_factory=dict)
    accuracy: dict[str, Accuracy] = field(default_factory=dict)
    instruction_sets: dict[str, Mapping[str, str]] = field(default_factory=dict)
    steady: dict[str, list[bool]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    blocks: list[BlockConditions] = field(default_factory=list)
    floor_bytes: Bytes | None = None
    cpus: tuple[int, ...] = ()
    failures: dict[str, ArmFailed] = field(default_factory=dict)
    cut_short: bool = False
    stopped: StopReason = StopReason.UNKNOWN
    spent: TimeSpent = TimeSpent()

    def add(self, launch: CellMeasurement) -> None:
        """One launch more. An arm that failed in it is out with all its samples."""
        _extend(self.samples, launch.samples)
        _extend(self.costs, launch.costs)
        _extend(self.steady, launch.steady)
        for arm, seconds in launch.seconds.items():
            self.seconds[arm] = self.seconds.get(arm, 0.0) + seconds
        self.blocks += launch.blocks
        self.memory |= launch.memory
        self.accuracy |= launch.accuracy
        self.instruction_sets |= launch.instruction_sets
        self.floor_bytes = self.floor_bytes or launch.floor_bytes
        self.cpus = launch.cpus
        self.cut_short |= launch.cut_short
        for failure in launch.failures.values():
            self.put_out(failure)

    def put_out(self, failure: ArmFailed) -> None:
        """An arm is out, with all its samples."""
        self.failures[failure.arm] = failure
        self.samples.pop(failure.arm, None)


def _extend(all_launches: dict[str, list[Item]], launch: Mapping[str, list[Item]]) -> None:
    for arm, items in launch.items():
        all_launches.setdefault(arm, []).extend(items)
