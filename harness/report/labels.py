"""Titles of sections and of trainings, and a record's cell in one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from harness.analysis.sections import Section
from harness.analysis.training_groups import TrainingGroup
from harness.records import (
    AnyRecord,
    CaseCell,
    CaseRecord,
    ThroughputCell,
    ThroughputRecord,
    TrainingCell,
    TrainingRecord,
)
from harness.training.models import MODELS
from implementations.interface import Phase

PHASES: Mapping[Phase, str] = {
    Phase.FORWARD_TRAINING: "a forward in training",
    Phase.BACKWARD: "a backward in training",
    Phase.TRAINING_STEP: "a training step, forward and backward,",
    Phase.INFERENCE: "a forward in inference",
    Phase.BACKWARD_INFERENCE: "a backward with frozen statistics",
}
FACES: Mapping[str, str] = {
    "layer": "of the layer, under autograd",
    "kernel": "of the kernel, without autograd",
}
NORMAL = "normal"  # the inputs' distribution that goes without saying


def describe(record: AnyRecord) -> str:
    """The record's cell in one line."""
    match record:
        case ThroughputRecord(cell=cell):
            return f"{cell.problem}, {conditions(cell)}"
        case TrainingRecord(cell=cell):
            return f"{recipe(cell)}, seed {cell.seed}"
        case CaseRecord(cell=cell):
            return f"{cell.case}, {device_label(cell)}"
        case _:
            assert_never(record)


def section_title(section: Section) -> str:
    return conditions(section.definition)


def group_title(group: TrainingGroup) -> str:
    return recipe(group.definition)


def conditions(cell: ThroughputCell) -> str:
    """What is timed and where: training step, layer, fresh outputs, warm cache, cpu, 2 threads;
    inputs if not normal.
    """
    special = "" if cell.inputs == NORMAL else f"{cell.inputs.replace('_', ' ')} inputs, "
    return (
        f"{cell.phase.replace('_', ' ')}, {cell.face}, {cell.outputs} outputs, "
        f"{cell.cache} cache, {special}{device_label(cell)}"
    )


def call_in_words(cell: ThroughputCell) -> str:
    """What one timed call does: a training step (forward and backward) of the layer."""
    return f"{PHASES[cell.phase]} {FACES[cell.face]}"


def device_label(cell: ThroughputCell | CaseCell) -> str:
    """Where it runs: cpu, 2 threads."""
    return f"{cell.device}, {cell.threads} thread{'s' * (cell.threads != 1)}"


def recipe(cell: TrainingCell) -> str:
    """What is trained and how: mlp (depth 8) on digits, sgd at 0.1, batch 64."""
    special = _unusual_options(cell)
    network = f"{cell.model} ({', '.join(special)})" if special else cell.model
    return (
        f"{network} on {cell.dataset}, {cell.optimizer} at {cell.learning_rate:g}, "
        f"batch {cell.batch}"
    )


def _unusual_options(cell: TrainingCell) -> list[str]:
    """The options in which the network is not the model's own. An old record has no value of what
    was no option then.
    """
    usual = {**MODELS.get(cell.model, {}), "redundant_bias": False, "initial_scale": 1.0}
    given = {
        "depth": cell.depth,
        "width": cell.width,
        "activation": cell.activation,
        "memory_format": cell.memory_format,
        "redundant_bias": cell.redundant_bias,
        "initial_scale": cell.initial_scale,
    }
    return [
        f"{name.replace('_', ' ')} {value}"
        for name, value in given.items()
        if name in usual and value is not None and value != usual[name]
    ]
