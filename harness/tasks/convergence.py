"""Training a small network with each implementation of BN, and with alternatives to BN, paired by
seed.

A record is one arm and one seed. The arms of one seed start from the same weights and see the same
data in the same order. Those that are timed follow each other, in an order drawn anew for each
seed, and have the device for themselves; those that are not share its cores.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from harness.config import Config, ConvergenceConfig, UsageError
from harness.environment import Environment
from harness.isolation import Killed, Overdue, RemoteError, side_by_side
from harness.isolation.device_lock import device_lease
from harness.records import Identity, Record, Status, digest
from harness.tasks import worker_settings
from harness.tasks.arms import arms_of
from harness.training import datasets
from harness.training.alternatives import ALTERNATIVES, GHOST
from harness.training.lookup import choose
from harness.training.models import OPTIONS, options_of
from harness.training.optimizers import RATES
from implementations import registry

VERSION = 2  # of the protocol: raise it when what a figure means changes
LAST_SEED = 2**63 - 1
RECIPE = (
    "dataset",
    "model",
    "redundant_bias",
    "initial_scale",
    "optimizer",
    "batch",
    "steps",
    "evaluate_every",
    "target",
    "stop_at_target",
    "timed",
)


def plan(config: Config, environment: Environment) -> list[Identity]:
    """One identity for each seed and arm. Raises ``UsageError`` for what cannot be trained, or with
    data that are missing.
    """
    _check_data(_task(config))
    arms = _arms(config)
    sources = {
        arm: _source(specification, arms[config.baseline]) for arm, specification in arms.items()
    }
    return [
        Identity("convergence", arm, _cell(config, seed), source, environment.fingerprint)
        for seed in _task(config).seeds
        for arm, source in sources.items()
    ]


def measure(
    config: Config, todo: list[Identity], session: str, announce: Callable[[str], None]
) -> Generator[Record]:
    """Train what is in ``todo`` in one lane, or what is not timed in as many as there are cores
    for.

    What an interrupted run left is gone on from if ``resume`` is set, and begun anew if it is not.
    """
    arms, settings = _arms(config), worker_settings(config)

    def record(call: Callable[..., Any], identity: Identity) -> Record:
        kept = checkpoint(config, identity)
        if not config.resume:
            kept.unlink(missing_ok=True)
        answer = _answer(partial(call, checkpoint=str(kept)), config, identity, arms, announce)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return Record(identity, session, now, **{**answer, "status": Status(answer["status"])})

    groups = {(settings.device, settings): _interleaved(todo, config.seed)}
    with closing(side_by_side(groups, record, _lanes(config, len(todo)), worth=1)) as records:
        for done in records:
            yield done
            # by now it is in the journal; what failed can be gone on from
            if done.status is Status.OK:
                checkpoint(config, done.identity).unlink(missing_ok=True)


def checkpoint(config: Config, identity: Identity) -> Path:
    """The file that a run in progress goes on from. It is of this arm, recipe, seed, code and
    machine, and of no other.
    """
    return Path(config.results).resolve() / "checkpoints" / f"{identity.key}.pt"


def _lanes(config: Config, runs: int) -> int:
    settings = worker_settings(config)
    alone = _task(config).timed or settings.device != "cpu"
    return 1 if alone else max(1, min(len(os.sched_getaffinity(0)) // settings.threads, runs))


def _answer(
    call: Callable[..., Any],
    config: Config,
    identity: Identity,
    arms: dict[str, registry.Specification],
    announce: Callable[[str], None],
) -> dict[str, Any]:
    """What `training.runner.run` answers, or in its words what became of the worker."""
    cell, task = identity.cell, _task(config)
    said = f"{identity.implementation}, seed {cell['seed']}"
    try:
        with device_lease(cell["device"], timed=task.timed):
            answer: dict[str, Any] = call(
                "training.run",
                task.timeout,
                on_progress=lambda at: announce(f"{said}: step {at['step']} of {at['steps']}"),
                arm=arms[identity.implementation],
                baseline=arms[config.baseline],
                cell=dict(cell),
                checkpoint_seconds=task.checkpoint_seconds,
                data_folder=task.data_folder,
            )
    except Overdue as reason:
        return {"status": Status.TIMEOUT, "reason": str(reason)}
    except Killed as reason:
        return {"status": Status.CRASHED, "reason": str(reason)}
    except RemoteError as error:
        return {"status": Status.CRASHED, "reason": str(error)}
    return answer


def _task(config: Config) -> ConvergenceConfig:
    task = config.task
    if not isinstance(task, ConvergenceConfig):
        raise TypeError(f"the convergence task was given a {type(task).__name__}")
    try:
        choose("task.dataset", task.dataset, datasets.DATASETS)
        _options(task)
    except ValueError as error:
        raise UsageError(str(error)) from error
    if (
        len(set(task.seeds)) < len(task.seeds)
        or not 0 <= min(task.seeds) <= max(task.seeds) <= LAST_SEED
    ):
        raise UsageError(
            f"task.seeds={task.seeds}; allowed: integers from 0 to 2**63 - 1, each once"
        )
    if GHOST in task.alternatives and task.batch % task.ghost_batch:
        raise UsageError(
            f"task.batch={task.batch} is no multiple of task.ghost_batch={task.ghost_batch}, so "
            "that samples "
            "would be left over; choose one that divides the other"
        )
    return task


def _check_data(task: ConvergenceConfig) -> None:
    """Look whether the files are there, which costs nothing; what is in them is verified where they
    are read.
    """
    try:
        datasets.find(task.dataset, task.data_folder)
    except datasets.DataError as error:
        raise UsageError(f"task.dataset={task.dataset}: {error}") from error


def _options(task: ConvergenceConfig) -> dict[str, Any]:
    return options_of(task.model, {option: getattr(task, option) for option in OPTIONS})


def _arms(config: Config) -> dict[str, registry.Specification]:
    return {**arms_of(config), **{name: name for name in _task(config).alternatives}}


def _source(specification: registry.Specification, baseline: registry.Specification) -> str:
    """Of an alternative its name; ghosts compute with the ``baseline``, whose source is
    theirs too.
    """
    if specification == GHOST:
        return digest([specification, registry.source_hash(baseline)])
    alternative = isinstance(specification, str) and specification in ALTERNATIVES
    return digest(specification) if alternative else registry.source_hash(specification)


def _cell(config: Config, seed: int) -> dict[str, Any]:
    task, settings = _task(config), worker_settings(config)
    rate = RATES[task.optimizer] if task.learning_rate is None else task.learning_rate
    return {
        **{key: getattr(task, key) for key in RECIPE},
        **_options(task),
        "learning_rate": rate,
        "seed": seed,
        "ghost_batch": task.ghost_batch if GHOST in task.alternatives else None,
        "device": settings.device,
        "threads": settings.threads,
        "allocator": settings.allocator,
        "wait_policy": settings.wait_policy,
        "huge_pages": settings.huge_pages,
        "baseline": config.baseline,
        "alpha": config.alpha,
        "protocol": VERSION,
    }


def _interleaved(todo: list[Identity], seed: int) -> list[Identity]:
    """The same identities, cell after cell, those of a cell in a random order: none always runs on
    a warmer machine.
    """
    drawn = np.random.Generator(np.random.PCG64(seed))
    cells: dict[str, list[Identity]] = {}
    for identity in todo:
        cells.setdefault(identity.cell_key, []).append(identity)
    return [arms[position] for arms in cells.values() for position in drawn.permutation(len(arms))]
