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

from harness.config import Config, ConvergenceConfig, UsageError
from harness.config.choices import ALTERNATIVES, GHOST
from harness.environment import Environment, cpus
from harness.isolation import Arm, Call, WorkerKind, side_by_side
from harness.isolation.failures import WORKER_FAILURES, failure_reason, failure_status
from harness.isolation.loading import Loading
from harness.isolation.machine_lock import machine_lock
from harness.records import Identity, Status, TrainingCell, TrainingRecord, digest, from_plain
from harness.tasks.arm_settings import ArmIdentity, identify
from harness.tasks.arms import arms_of
from harness.tasks.common import device_settings_of, task_config, timestamp, worker_settings
from harness.tasks.memory import refuse_large_network
from harness.tasks.training_order import batches
from harness.training import datasets
from harness.training.messages import StepProgress, TrainingOutcome
from harness.training.models import OPTIONS, least_parameters, options_of
from harness.training.optimizers import RATES

VERSION = 2  # of the protocol: raise it when what a figure means changes
WORKER = "harness.training.worker"
Arms = Mapping[str, Arm]


def plan(config: Config, environment: Environment) -> list[Identity[TrainingCell]]:
    """One identity for each seed and arm.

    Raises ``UsageError`` for what cannot be trained, or with data that are missing.
    """
    task = task_config(config, ConvergenceConfig)
    _check(task)
    settings, implementations = worker_settings(config), arms_of(config)
    known = {name: identify(name, arm, settings) for name, arm in implementations.items()}
    known |= {name: _identity(name, known[config.baseline]) for name in task.alternatives}
    return [
        Identity(name, _cell(config, seed), arm.source, environment.fingerprint, arm.setting)
        for seed in task.seeds
        for name, arm in known.items()
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

    settings, lanes = worker_settings(config), _lanes(config, len(todo))
    kinds = {
        name: WorkerKind(WORKER, replace(settings, place=arm.place)) for name, arm in arms.items()
    }
    for groups in batches(todo, kinds, config.seed, alone=lanes == 1):
        with closing(side_by_side(groups, record, lanes, worth=1)) as records:
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
            unloadable = loading.failure(call, arm) if _is_loaded(arm) else None
            if unloadable is not None:
                return TrainingOutcome(unloadable.status, unloadable.reason)
            outcome = call(
                "train",
                TrainingOutcome,
                task.timeout,
                tell,
                arm=arm.implementation,
                baseline=arms[config.baseline].implementation,
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
    """Alternatives run where the baseline does: ghosts compute with it."""
    alternatives = task_config(config, ConvergenceConfig).alternatives
    arms = arms_of(config)
    place = arms[config.baseline].place
    return {**arms, **{name: Arm(name, place) for name in alternatives}}


def _is_loaded(arm: Arm) -> bool:
    """Whether it is an implementation, which a worker has to load."""
    return arm.implementation not in ALTERNATIVES


def _identity(alternative: str, baseline: ArmIdentity) -> ArmIdentity:
    """Of an alternative a hash of its name; ghosts compute with the ``baseline``, whose source is
    theirs too.
    """
    source = digest([GHOST, baseline.source]) if alternative == GHOST else digest(alternative)
    setting = baseline.setting
    if setting is None or not setting.runs_elsewhere:
        return ArmIdentity(source)
    return ArmIdentity(source, replace(setting, name=alternative))


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
