"""What a worker does when it is asked to train: one network, one arm, one seed.

The data are built before anything is seeded, since building may draw random numbers or seed
generators itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

import torch

from harness.config.choices import WITHOUT
from harness.isolation.device_presence import require_device
from harness.isolation.failures import refusal_status
from harness.records import Cost, Seconds, Status, TrainingCell, TrainingFigures
from harness.training import datasets, models
from harness.training.checkpoints import Checkpoint
from harness.training.hashes import sha256
from harness.training.loop import Recipe, train
from harness.training.messages import StepProgress, TrainingOutcome
from harness.training.normalization import normalizing
from harness.training.steps import Training
from implementations import Unavailable, Unsupported, registry


def run(
    progress: Callable[[StepProgress], None],
    *,
    arm: registry.Specification,
    baseline: registry.Specification,
    cell: TrainingCell,
    checkpoint: str | None = None,
    checkpoint_seconds: float = 0.0,
    data_folder: str | None = None,
) -> TrainingOutcome:
    """Train as ``cell`` says, with an ``arm``: an implementation, or the name of an alternative to
    BN.

    ``checkpoint`` is the file that the training goes on from, if it is there, and keeps;
    ``data_folder`` is where the user has the data, if not in one of the folders that are searched.
    A training that diverged is OK: it has no final accuracy, and its figures say at which step.
    Raises ValueError for an unknown name.
    """
    try:
        return _run(
            progress, arm, baseline, cell, Checkpoint(checkpoint, checkpoint_seconds), data_folder
        )
    except registry.LoadFailure:
        raise
    except (Unsupported, Unavailable) as refusal:
        return TrainingOutcome(refusal_status(refusal), str(refusal))


def _run(
    progress: Callable[[StepProgress], None],
    arm: registry.Specification,
    baseline: registry.Specification,
    cell: TrainingCell,
    checkpoint: Checkpoint,
    data_folder: str | None,
) -> TrainingOutcome:
    began = time.perf_counter()
    require_device(cell.device)
    recipe = Recipe.from_cell(cell)
    data, data_sha256 = _data(cell.dataset, data_folder)
    torch.manual_seed(recipe.seed)
    model = _model(arm, baseline, cell, data)
    initial_sha256 = sha256(layer.weight for layer in models.weighted_layers(model))
    model, data = model.to(cell.device), data.to(cell.device)
    prepared = Seconds(time.perf_counter() - began)
    # Among the algorithms of cuDNN some add up in an order that varies, and timing picks another
    # one each time.
    with torch.backends.cudnn.flags(enabled=True, deterministic=True):
        done = train(model, data, recipe, progress, checkpoint)
    losses = torch.tensor([step.loss for step in done.steps], dtype=torch.float64)
    figures = replace(
        _figures(done, recipe),
        data_sha256=data_sha256,
        initial_sha256=initial_sha256,
        losses_sha256=sha256([losses]),
        parameters_sha256=sha256(model.state_dict().values()),
        instruction_set=torch.backends.cpu.get_cpu_capability(),
    )
    cost = Cost(prepare_seconds=prepared, evaluate_seconds=done.evaluation_seconds)
    outcome = TrainingOutcome(Status.OK, None, figures, done.steps, cost)
    return outcome if cell.timed else _without_times(outcome)


def _data(name: str, folder: str | None) -> tuple[datasets.Dataset, str]:
    """The data and their SHA-256. They are read once for many runs, and again where a run has
    written into them.
    """
    data, before = _loaded(name, folder)
    if data.sha256 != before:
        _loaded.cache_clear()
        data, before = _loaded(name, folder)
    return data, before


@lru_cache(maxsize=1)
def _loaded(name: str, folder: str | None) -> tuple[datasets.Dataset, str]:
    data = datasets.load(name, folder)
    return data, data.sha256


def _model(
    arm: registry.Specification,
    baseline: registry.Specification,
    cell: TrainingCell,
    data: datasets.Dataset,
) -> torch.nn.Module:
    normalize = normalizing(arm, baseline=baseline, ghost_batch=cell.ghost_batch)
    bias = arm == WITHOUT or cell.redundant_bias
    given = {option: getattr(cell, option) for option in models.OPTIONS}
    options: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    model = models.build(cell.model, data.shape, data.classes, normalize, bias=bias, **options)
    models.initialize(model, cell.seed, cell.initial_scale)
    return model


def _figures(done: Training, recipe: Recipe) -> TrainingFigures:
    accuracies = [step.accuracy for step in done.steps if step.accuracy is not None]
    pace = done.seconds_per_step
    return TrainingFigures(
        steps_to_target=done.steps_to(recipe.target),
        seconds_to_target=done.seconds_to(recipe.target),
        seconds_per_step=pace,
        first_step_seconds=done.steps[0].seconds if done.steps else None,
        final_loss=done.steps[-1].loss if done.steps else None,
        final_accuracy=done.test_accuracy,
        best_validation_accuracy=max(accuracies, default=None),
        diverged_at=done.diverged_at,
        samples_per_second=recipe.batch / pace if pace else None,
        steps=len(done.steps),
        resumed_after=done.resumed_after,
    )


def _without_times(outcome: TrainingOutcome) -> TrainingOutcome:
    """Arms that share the machine's cores say nothing about their pace."""
    if outcome.figures is None:
        return outcome
    figures = replace(
        outcome.figures,
        seconds_to_target=None,
        seconds_per_step=None,
        first_step_seconds=None,
        samples_per_second=None,
    )
    samples = tuple(replace(step, seconds=None) for step in outcome.samples)
    return replace(outcome, figures=figures, samples=samples, cost=Cost())
