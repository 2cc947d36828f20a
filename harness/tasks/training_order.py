"""In which order trainings run, and which of them side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

import numpy as np

from harness.isolation import WorkerKind
from harness.records import Identity, TrainingCell

Trainings = list[Identity[TrainingCell]]


def batches(
    todo: Sequence[Identity[TrainingCell]],
    kinds: Mapping[str, WorkerKind],
    seed: int,
    *,
    alone: bool,
) -> list[dict[WorkerKind, Trainings]]:
    """What runs side by side, by the kind of worker that its arm needs; batches follow each other.

    Where each training runs ``alone`` their order counts, though it takes a new worker for each
    change of kind.
    """
    ordered = _interleaved(todo, seed)
    if alone:
        runs = groupby(ordered, lambda identity: kinds[identity.implementation])
        return [{kind: list(run)} for kind, run in runs]
    groups: dict[WorkerKind, Trainings] = {}
    for identity in ordered:
        groups.setdefault(kinds[identity.implementation], []).append(identity)
    return [groups]


def _interleaved(todo: Sequence[Identity[TrainingCell]], seed: int) -> Trainings:
    """The same identities, cell after cell, those of a cell in a random order: none always runs on
    a warmer machine.
    """
    drawn = np.random.Generator(np.random.PCG64(seed))
    cells: dict[str, Trainings] = {}
    for identity in todo:
        cells.setdefault(identity.cell_key, []).append(identity)
    return [arms[at] for arms in cells.values() for at in drawn.permutation(len(arms))]
