"""What a worker does when it is asked to train: one network, one arm, one seed, plain data back.

The data are built before anything is seeded, since building may draw random numbers or seed
generators itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import torch

import implementations
from harness.training import datasets, models
from harness.training.alternatives import WITHOUT
from harness.training.checkpoints import Checkpoint
from harness.training.loop import Recipe, train
from harness.training.normalization import normalizing
from harness.training.seeding import sha256
from harness.training.steps import Training
from implementations import registry

TIMES = ("seconds_to_target", "seconds_per_step", "first_step_seconds", "samples_per_second")


def run(
    progress: Callable[[dict[str, int]], None],
    *,
    arm: Any,
    baseline: Any,
    cell: Mapping[str, Any],
    checkpoint: str | None = None,
    checkpoint_seconds: float = 0.0,
    data_folder: str | None = None,
) -> dict[str, Any]:
    """Train as ``cell`` says, with an ``arm``: an implementation's name or mapping with
    ``_target_``, or an alternative.

    ``checkpoint`` is the file that the training goes on from, if it is there, and keeps;
    ``data_folder`` is where the user has the data, if not in one of the folders that are searched.
    Returns ``status`` and ``reason`` and, when it is OK, ``figures`` (seconds, accuracies from 0 to
    1, SHA-256), ``samples`` (`steps.Step` as a mapping) and ``cost``. What was not timed has None
    for its times. A run that diverged is OK: it has no final accuracy, and its figures tell the
    step. Raises ValueError for an unknown name.
    """
    try:
        return _run(
            progress, arm, baseline, cell, Checkpoint(checkpoint, checkpoint_seconds), data_folder
        )
    except registry.LoadFailure:
        raise
    except implementations.Unavailable as reason:
        return {"status": "UNAVAILABLE", "reason": str(reason)}
    except implementations.Unsupported as reason:
        return {"status": "UNSUPPORTED", "reason": str(reason)}


def _run(
    progress: Callable[[dict[str, int]], None],
    arm: Any,
    baseline: Any,
    cell: Mapping[str, Any],
    checkpoint: Checkpoint,
    data_folder: str | None,
) -> dict[str, Any]:
    began = time.perf_counter()
    recipe = Recipe.from_cell(cell)
    data, data_sha256 = _data(cell["dataset"], data_folder)
    hashes = {"data_sha256": data_sha256}
    torch.manual_seed(recipe.seed)
    model = _model(arm, baseline, cell, data)
    hashes["initial_sha256"] = sha256(layer.weight for layer in models.weighted_layers(model))
    model, data = model.to(cell["device"]), data.to(cell["device"])
    prepared = time.perf_counter() - began
    # Among the algorithms of cuDNN some add up in an order that varies, and timing picks another
    # one each time.
    with torch.backends.cudnn.flags(enabled=True, deterministic=True):
        done = train(model, data, recipe, progress, checkpoint)
    hashes["parameters_sha256"] = sha256(model.state_dict().values())
    hashes["losses_sha256"] = sha256(
        [torch.tensor([step.loss for step in done.steps], dtype=torch.float64)]
    )
    answer = {
        "status": "OK",
        "reason": None,
        "figures": {
            **_figures(done, recipe),
            **hashes,
            "instruction_set": torch.backends.cpu.get_cpu_capability(),
        },
        "samples": [step._asdict() for step in done.steps],
        "cost": {"prepare_seconds": prepared, "evaluate_seconds": done.evaluation_seconds},
    }
    return answer if cell["timed"] else _without_times(answer)


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
    arm: Any, baseline: Any, cell: Mapping[str, Any], data: datasets.Dataset
) -> torch.nn.Module:
    normalize = normalizing(arm, baseline=baseline, ghost_batch=cell["ghost_batch"])
    bias = arm == WITHOUT or cell["redundant_bias"]
    options = {option: cell[option] for option in models.OPTIONS if option in cell}
    model = models.build(cell["model"], data.shape, data.classes, normalize, bias=bias, **options)
    models.initialize(model, cell["seed"], cell["initial_scale"])
    return model


def _figures(done: Training, recipe: Recipe) -> dict[str, Any]:
    accuracies = [step.accuracy for step in done.steps if step.accuracy is not None]
    pace = done.seconds_per_step if done.steps else None
    return {
        "steps_to_target": done.steps_to(recipe.target),
        "seconds_to_target": done.seconds_to(recipe.target),
        "seconds_per_step": pace,
        "samples_per_second": recipe.batch / pace if pace else None,
        "first_step_seconds": done.steps[0].seconds if done.steps else None,
        "steps": len(done.steps),
        "final_loss": done.steps[-1].loss if done.steps else None,
        "final_accuracy": done.test_accuracy,
        "best_validation_accuracy": max(accuracies, default=None),
        "diverged_at": done.diverged_at,
        "resumed_after": list(done.resumed_after),
    }


def _without_times(answer: dict[str, Any]) -> dict[str, Any]:
    """Arms that share the machine's cores say nothing about their pace."""
    return {
        **answer,
        "figures": {**answer["figures"], **dict.fromkeys(TIMES)},
        "samples": [{**sample, "seconds": None} for sample in answer["samples"]],
        "cost": {},
    }
