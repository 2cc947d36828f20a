"""Training a small network with each implementation of BN, and with none, paired by seed.

A record is one implementation and one seed. The arms of one seed start from the same weights, see the same data in the
same order, and follow each other in one worker, in an order drawn anew for each seed.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from datetime import UTC, datetime
from typing import Any

import numpy as np

from harness.arms import arms_of
from harness.config import Config, ConvergenceConfig, UsageError
from harness.environment import Environment
from harness.isolation import Host, Killed, Overdue, RemoteError
from harness.isolation.lease import device_lease
from harness.records import Identity, Record, Status, digest
from harness.tasks import worker_settings
from harness.training.datasets import DATASETS
from harness.training.models import WITHOUT
from harness.training.optimizers import RATES
from harness.training.tables import choose
from implementations import registry

VERSION = 1  # of the protocol: raise it when what a figure means changes
RECIPE = ("dataset", "model", "optimizer", "learning_rate", "batch", "steps", "evaluate_every", "target")


def plan(config: Config, environment: Environment) -> list[Identity]:
    """One identity for each seed and arm. Raises ``UsageError`` for a data set or seeds that cannot be."""
    sources = {arm: _source(specification) for arm, specification in _arms(config).items()}
    return [
        Identity("convergence", arm, _cell(config, seed), source, environment.fingerprint)
        for seed in _task(config).seeds
        for arm, source in sources.items()
    ]


def measure(config: Config, todo: list[Identity], session: str, announce: Callable[[str], None]) -> Generator[Record]:
    """Train what is in ``todo``, one after the other in one worker, which is replaced when a run has failed in it."""
    arms = _arms(config)
    host: Host | None = None
    try:
        for identity in _interleaved(todo, config.seed):
            host = host or Host(worker_settings(config))
            answer = _answer(host, identity, arms[identity.implementation], config.task.timeout, announce)
            now = datetime.now(UTC).isoformat(timespec="seconds")
            record = Record(identity, session, now, **{**answer, "status": Status(answer["status"])})
            if record.status.failed:
                host.close()
                host = None
            yield record
    finally:
        if host is not None:
            host.close()


def _answer(
    host: Host, identity: Identity, specification: registry.Specification, timeout: float,
    announce: Callable[[str], None],
) -> dict[str, Any]:
    """What `training.runner.run` answers, or in its words what became of the worker."""
    said = f"{identity.implementation}, seed {identity.cell['seed']}"
    try:
        with device_lease(identity.cell["device"]):
            answer: dict[str, Any] = host.call(
                "training.run", timeout, lambda at: announce(f"{said}: step {at['step']} of {at['steps']}"),
                implementation=specification, cell=dict(identity.cell))
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
        choose("task.dataset", task.dataset, DATASETS)
    except ValueError as error:
        raise UsageError(str(error)) from error
    if len(set(task.seeds)) < len(task.seeds) or min(task.seeds) < 0:
        raise UsageError(f"task.seeds={task.seeds}; allowed: integers from 0 on, each once")
    return task


def _arms(config: Config) -> dict[str, registry.Specification]:
    return {**arms_of(config), **({WITHOUT: WITHOUT} if _task(config).without_bn else {})}


def _source(specification: registry.Specification) -> str:
    return digest(WITHOUT) if specification == WITHOUT else registry.source_hash(specification)


def _cell(config: Config, seed: int) -> dict[str, Any]:
    task, settings = _task(config), worker_settings(config)
    rate = RATES[task.optimizer] if task.learning_rate is None else task.learning_rate
    return {
        **{key: getattr(task, key) for key in RECIPE}, "learning_rate": rate, "seed": seed,
        "device": settings.device, "threads": settings.threads,
        "allocator": settings.allocator, "wait_policy": settings.wait_policy,
        "baseline": config.baseline, "protocol": VERSION,
    }


def _interleaved(todo: list[Identity], seed: int) -> list[Identity]:
    """The same identities, cell after cell, those of a cell in a random order: none always runs on a warmer machine."""
    drawn = np.random.Generator(np.random.PCG64(seed))
    cells: dict[str, list[Identity]] = {}
    for identity in todo:
        cells.setdefault(identity.cell_key, []).append(identity)
    return [arms[position] for arms in cells.values() for position in drawn.permutation(len(arms))]
