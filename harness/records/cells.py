"""Cells: all that defines what is measured, apart from the implementation and the machine.

A cell's plain data is hashed into its key, so a field added here makes every measurement of that
task a new one. A field that a task's earlier versions lacked has the default that was in force.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, final

from harness.records.plain_data import FLATTEN, OMIT_NONE
from harness.records.units import Seconds
from implementations.interface import Face, Outputs, Phase, Problem


def _only_where_the_model_has_it() -> Any:  # as `dataclasses.field` itself is typed
    return _omitted_where_none()


def _omitted_where_none() -> Any:
    """A field that leaves the keys of measurements without it as they were."""
    return field(default=None, metadata=OMIT_NONE)


@dataclass(frozen=True)
class Protocol:
    """How a throughput cell is sampled.

    ``launches`` are the pilot's, which decides how many follow, up to ``most_launches`` in all.
    """

    version: int
    launches: int
    blocks: int
    most_launches: int | None = None
    sample_seconds: Seconds = Seconds(0.01)
    cell_seconds: Seconds = Seconds(60.0)


@final
@dataclass(frozen=True)
class ThroughputCell:
    """One problem in one phase under one set of conditions; its arms are timed side by side.

    ``accuracy`` is the relative error beyond which an arm has no verdict, if there is a bound.
    """

    TASK: ClassVar = "throughput"

    problem: Problem
    phase: Phase
    face: Face
    outputs: Outputs
    cache: str
    device: str
    threads: int
    allocator: str
    wait_policy: str
    seed: int
    baseline: str
    margin: float
    alpha: float
    protocol: Protocol
    inputs: str = "normal"
    huge_pages: str = "default"
    accuracy: float | None = _omitted_where_none()


@final
@dataclass(frozen=True)
class TrainingCell:
    """One network, trained by one recipe from one seed.

    ``depth``, ``width``, ``activation`` and ``memory_format`` are None where the model takes none.
    ``learning_rate`` is what was used, ``target`` a validation accuracy from 0 to 1.
    """

    TASK: ClassVar = "convergence"

    dataset: str
    model: str
    optimizer: str
    learning_rate: float
    batch: int
    steps: int
    evaluate_every: int
    target: float
    seed: int
    device: str
    threads: int
    baseline: str
    allocator: str = "retaining"
    wait_policy: str = "brief"
    huge_pages: str = "default"
    stop_at_target: bool = False
    redundant_bias: bool = False
    initial_scale: float = 1.0
    timed: bool = True
    ghost_batch: int | None = None
    depth: int | None = _only_where_the_model_has_it()
    width: int | None = _only_where_the_model_has_it()
    activation: str | None = _only_where_the_model_has_it()
    memory_format: str | None = _only_where_the_model_has_it()
    alpha: float = 0.05
    protocol: int = 1


@final
@dataclass(frozen=True)
class CaseCell:
    """One conformance case.

    ``definition`` is everything else that defines the case, different for each kind of case: it is
    hashed with the rest, so that a case that was changed is checked again. Its values are plain
    data.
    """

    TASK: ClassVar = "conformance"

    case: str
    device: str
    threads: int
    allocator: str = "retaining"
    wait_policy: str = "brief"
    huge_pages: str = "default"
    protocol: int = 1
    fixed_threads: int | None = None
    thorough: bool = False
    definition: Mapping[str, object] = field(default_factory=dict, metadata=FLATTEN)


Cell = ThroughputCell | TrainingCell | CaseCell
