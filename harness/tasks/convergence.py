"""Training a small network with each implementation of BN, and with alternatives to BN, paired by
seed.

A record is one arm and one seed. The arms of one seed start from the same weights and see the same
data in the same order. Those that are timed follow each other, in an order drawn anew for each
seed, and have the device for themselves; those that are not share its cores.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from harness.config import Config, ConvergenceConfig, UsageError
from harness.config.choices import ALTERNATIVES, GHOST
from harness.environment import Environment, cpus
from harness.isolation import Call, WorkerKind, side_by_side
from harness.isolation.failures import WORKER_FAILURES, failure_reason, failure_status
from harness.isolation.loading import Loading
from harness.isolation.machine_lock import machine_lock
from harness.records import Identity, Status, TrainingCell, TrainingRecord, digest, from_plain
from harness.tasks.arms import arms_of
from harness.tasks.common import device_settings_of, task_config, timestamp, worker_settings
from harness.tasks.memory import refuse_large_network
from harness.training import datasets
from harness.training.messages import StepProgress, TrainingOutcome
from harness.training.models import OPTIONS, least_parameters, options_of
from harness.training.optimizers import RATES
from implementations import registry

VERSION = 2  # of the protocol: raise it when what a figure means changes
WORKER = "harness.training.worker"
Arms = Mapping[str, registry.Specification]


def plan(config: Config, environment: Environment) -> list[Identity[TrainingCell]]:
    """One identity for each seed and arm.

    Raises ``UsageError`` for what cannot be trained, or with data that are missing.
    """
    task = task_config(config, ConvergenceConfig)
    _check(task)
    arms = _arms(config)
    baseline = arms[config.baseline]
    sources = {arm: _source(given, baseline) for arm, given in arms.items()}
    return [
        Identity(arm, _cell(config, seed), source, environment.fingerprint)
        for seed in task.seeds
        for arm, source in sources.items()
    ]


def measure(
    config: Config,
    todo: Sequence[Identity[TrainingCell]],
    session: str,
    announce: Callable[[str], None],
) -> Generator[TrainingRecord]:
    """Train what is in ``todo`` in one lane, or what is not timed in as many as there are cores
    for.

    What an interrupted run left is gone on from if ``resume`` is set, and begun anew if it is not.
    """
    arms, loading = _arms(config), Loading(config.task.timeout)

    def record(call: Call, identity: Identity[TrainingCell]) -> TrainingRecord:
        if not config.resume:
            checkpoint(config, identity).unlink(missing_ok=True)
        outcome = _trained(call, config, identity, arms, loading, announce)
        return TrainingRecord(
            identity,
            session,
            timestamp(),
            outcome.status,
            outcome.reason,
            figures=outcome.figures,
            samples=outcome.samples,
            cost=outcome.cost,
        )

    kind = WorkerKind(WORKER, worker_settings(config))
    groups = {kind: _interleaved(todo, config.seed)}
    with closing(side_by_side(groups, record, _lanes(config, len(todo)), worth=1)) as records:
        for done in records:
            yield done
            # By now an OK record is in the journal; what failed can be gone on from.
            if done.status is Status.OK:
                checkpoint(config, done.identity).unlink(missing_ok=True)


def checkpoint(config: Config, identity: Identity[TrainingCell]) -> Path:
    """The file that an interrupted training goes on from.

    It is of this arm, recipe, seed, code and machine, and of no other.
    """
    return Path(config.results).resolve() / "checkpoints" / f"{identity.key}.pt"


def _lanes(config: Config, runs: int) -> int:
    settings = worker_settings(config)
    alone = task_config(config, ConvergenceConfig).timed or settings.device != "cpu"
    return 1 if alone else max(1, min(cpus.usable() // settings.threads, runs))


def _trained(
    call: Call,
    config: Config,
    identity: Identity[TrainingCell],
    arms: Arms,
    loading: Loading,
    announce: Callable[[str], None],
) -> TrainingOutcome:
    """What the worker answers, or what became of the worker."""
    arm = arms[identity.implementation]
    cell, task = identity.cell, task_config(config, ConvergenceConfig)

    def tell(progress: object) -> None:
        at = from_plain(progress, StepProgress)
        announce(f"{identity.implementation}, seed {cell.seed}: step {at.step} of {at.steps}")

    try:
        with machine_lock(timed=task.timed) as waited:
            unloadable = None if arm in ALTERNATIVES else loading.failure(call, arm)
            if unloadable is not None:
                return TrainingOutcome(unloadable.status, unloadable.reason)
            outcome = call(
                "train",
                TrainingOutcome,
                task.timeout,
                tell,
                arm=arm,
                baseline=arms[config.baseline],
                cell=cell,
                checkpoint=str(checkpoint(config, identity)),
                checkpoint_seconds=task.checkpoint_seconds,
                data_folder=task.data_folder,
            )
        return replace(outcome, cost=replace(outcome.cost, lock_wait_seconds=waited))
    except WORKER_FAILURES as failure:
        return TrainingOutcome(failure_status(failure), failure_reason(failure))


def _check(task: ConvergenceConfig) -> None:
    """Raises ``UsageError`` for what only the tables of models and data sets can refuse.

    Whether the data are there costs nothing to see; what is in them is verified where they are
    read.
    """
    try:
        options = _options(task)
        datasets.find(task.dataset, task.data_folder)
    except datasets.DataError as error:
        raise UsageError(f"task.dataset={task.dataset}: {error}") from error
    except ValueError as error:
        raise UsageError(str(error)) from error
    images = datasets.DATASETS[task.dataset].training_images
    if task.batch > images:
        raise UsageError(
            f"task.batch={task.batch}, but task.dataset={task.dataset} has {images} images to "
            f"train on; allowed: 2 to {images}"
        )
    refuse_large_network(least_parameters(task.model, options))


def _options(task: ConvergenceConfig) -> dict[str, Any]:  # of several types, by the model
    return options_of(task.model, {option: getattr(task, option) for option in OPTIONS})


def _arms(config: Config) -> Arms:
    alternatives = task_config(config, ConvergenceConfig).alternatives
    return {**arms_of(config), **{name: name for name in alternatives}}


def _source(specification: registry.Specification, baseline: registry.Specification) -> str:
    """Of an alternative a hash of its name; ghosts compute with the ``baseline``, whose source is
    theirs too.
    """
    if specification == GHOST:
        return digest([specification, registry.source_hash(baseline)])
    alternative = isinstance(specification, str) and specification in ALTERNATIVES
    return digest(specification) if alternative else registry.source_hash(specification)


def _cell(config: Config, seed: int) -> TrainingCell:
    task = task_config(config, ConvergenceConfig)
    options = _options(task)
    rate = RATES[task.optimizer] if task.learning_rate is None else task.learning_rate
    return TrainingCell(
        dataset=task.dataset,
        model=task.model,
        optimizer=task.optimizer,
        learning_rate=rate,
        batch=task.batch,
        steps=task.steps,
        evaluate_every=task.evaluate_every,
        target=datasets.DATASETS[task.dataset].target if task.target is None else task.target,
        stop_at_target=task.stop_at_target,
        redundant_bias=task.redundant_bias,
        initial_scale=task.initial_scale,
        timed=task.timed,
        ghost_batch=task.ghost_batch if GHOST in task.alternatives else None,
        seed=seed,
        baseline=config.baseline,
        alpha=config.alpha,
        protocol=VERSION,
        **options,
        **device_settings_of(worker_settings(config)),
    )


def _interleaved(todo: Sequence[Identity[TrainingCell]], seed: int) -> list[Identity[TrainingCell]]:
    """The same identities, cell after cell, those of a cell in a random order: none always runs on
    a warmer machine.
    """
    drawn = np.random.Generator(np.random.PCG64(seed))
    cells: dict[str, list[Identity[TrainingCell]]] = {}
    for identity in todo:
        cells.setdefault(identity.cell_key, []).append(identity)
    return [arms[at] for arms in cells.values() for at in drawn.permutation(len(arms))]
