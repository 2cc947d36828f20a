"""Twenty steps in two fresh processes leave the same bits, whatever is trained, with whatever, on
however many threads.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, product
from typing import Any, NamedTuple

import pytest

from harness.isolation import WorkerProcess, WorkerSettings
from harness.isolation.process import Start, execute
from harness.isolation.worker_pool import FORK_SERVERS
from harness.records import TrainingCell
from harness.training import models
from harness.training.messages import TrainingOutcome
from harness.training.optimizers import RATES

HASHES = ("data_sha256", "initial_sha256", "losses_sha256", "parameters_sha256")


class Run(NamedTuple):
    """What is varied."""

    implementation: str
    optimizer: str
    model: str
    threads: int


VALUES = (
    ("numpy", "torch_unfused", "torch_native", "torch_compile", "fused_cpu"),
    tuple(RATES),
    tuple(models.MODELS),
    (1, 2),
)
# Each implementation with each optimizer, and the rest along the diagonals: 20 runs in place of
# 120.
DESIGN = [
    Run(implementation, optimizer, VALUES[2][(row + column) % 3], VALUES[3][(row + column) % 2])
    for (row, implementation), (column, optimizer) in product(
        enumerate(VALUES[0]), enumerate(VALUES[1])
    )
]


def test_the_design_has_every_pair() -> None:
    for one, other in combinations(range(len(Run._fields)), 2):
        assert {(run[one], run[other]) for run in DESIGN} == set(
            product(VALUES[one], VALUES[other])
        )


def hashes(cell: TrainingCell, runs: list[Run], start: Start = execute) -> dict[Run, list[str]]:
    """Those of each run, one after the other in the same fresh process."""
    # other tests have the cores too, and threads that spin would wait for each other's time slices
    settings = WorkerSettings(threads=runs[0].threads, wait_policy="passive")
    with WorkerProcess("harness.training.worker", settings, start) as worker:
        done = {run: worker.call("train", TrainingOutcome, 120, **asked(cell, run)) for run in runs}
    return {
        run: [getattr(outcome.figures, name) for name in HASHES] for run, outcome in done.items()
    }


def asked(cell: TrainingCell, run: Run) -> dict[str, Any]:
    recipe = replace(
        cell,
        steps=20,
        batch=16,
        learning_rate=0.01,
        optimizer=run.optimizer,
        model=run.model,
        threads=run.threads,
    )
    return {"arm": run.implementation, "baseline": "torch_native", "cell": recipe}


@pytest.mark.long
@pytest.mark.parametrize("threads", [1, 2])
def test_twenty_steps_end_with_the_same_hashes_in_two_processes(
    cell: TrainingCell, threads: int
) -> None:
    runs = [run for run in DESIGN if run.threads == threads]
    # nothing may depend on what the process did before
    once, backwards = (hashes(cell, runs), hashes(cell, runs[::-1]))
    assert {run: once[run] == backwards[run] for run in runs} == dict.fromkeys(runs, True)
    assert len({tuple(found) for found in once.values()}) == len(runs)


def test_a_training_of_a_sweep_ends_with_the_hashes_that_it_has_alone(cell: TrainingCell) -> None:
    jobs = [Run("torch_native", optimizer, "cnn", 1) for optimizer in ("sgd", "adam")]
    alone = {**hashes(cell, jobs[:1]), **hashes(cell, jobs[1:])}
    for job in jobs:  # each forked from what has imported libraries for all
        assert hashes(cell, [job], FORK_SERVERS.start) == {job: alone[job]}
