"""What a worker does when it is asked to train: one network, one implementation, one seed, plain data back.

The data are built before anything is seeded, since building may draw random numbers or seed generators itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch

import implementations
from harness.training import datasets, models
from harness.training.loop import Recipe, Training, train
from harness.training.reproducible import sha256
from implementations import registry


def run(progress: Callable[[dict[str, int]], None], *, implementation: Any, cell: Mapping[str, Any]) -> dict[str, Any]:
    """Train as ``cell`` says, with BN by ``implementation``: a name, a mapping with ``_target_``, or "none" for no BN.

    Returns ``status`` and ``reason`` and, when it is OK, ``figures`` (seconds, accuracies from 0 to 1, SHA-256),
    ``samples`` (each step's loss and seconds, and validation accuracy where it was evaluated) and ``cost``. A run that
    diverged is OK: it has no final accuracy, and its figures tell the step. Raises ValueError for an unknown name.
    """
    try:
        return _run(progress, implementation, cell)
    except registry.Broken:
        raise
    except implementations.Unavailable as reason:
        return {"status": "UNAVAILABLE", "reason": str(reason)}
    except implementations.Unsupported as reason:
        return {"status": "UNSUPPORTED", "reason": str(reason)}


def _run(progress: Callable[[dict[str, int]], None], implementation: Any, cell: Mapping[str, Any]) -> dict[str, Any]:
    began = time.perf_counter()
    recipe = Recipe.from_cell(cell)
    data = datasets.load(cell["dataset"])
    hashes = {"data_sha256": data.sha256}
    torch.manual_seed(recipe.seed)
    normalize = None if implementation == models.WITHOUT else partial(_normalize, implementation)
    model = models.build(cell["model"], data.shape, data.classes, normalize)
    models.initialize(model, recipe.seed)
    hashes["initial_sha256"] = sha256(layer.weight for layer in models.weighted_layers(model))
    model, data = model.to(cell["device"]), data.to(cell["device"])
    prepared = time.perf_counter() - began
    # Among the algorithms of cuDNN some add up in an order that varies, and timing picks another one each time.
    with torch.backends.cudnn.flags(enabled=True, deterministic=True):
        done = train(model, data, recipe, progress)
    hashes["parameters_sha256"] = sha256(model.state_dict().values())
    hashes["losses_sha256"] = sha256([torch.tensor([step.loss for step in done.steps], dtype=torch.float64)])
    return {
        "status": "OK",
        "reason": None,
        "figures": {**_figures(done, recipe.target), **hashes},
        "samples": [step._asdict() for step in done.steps],
        "cost": {"prepare_seconds": prepared, "evaluate_seconds": done.evaluation_seconds},
    }


def _normalize(implementation: Any, features: int, activation: str | None) -> torch.nn.Module:
    return implementations.BatchNorm(features, implementation=implementation, activation=activation)


def _figures(done: Training, target: float) -> dict[str, Any]:
    accuracies = [step.accuracy for step in done.steps if step.accuracy is not None]
    return {
        "steps_to_target": done.steps_to(target),
        "seconds_to_target": done.seconds_to(target),
        "seconds_per_step": done.seconds_per_step if done.steps else None,
        "first_step_seconds": done.steps[0].seconds if done.steps else None,
        "final_loss": done.steps[-1].loss if done.steps else None,
        "final_accuracy": done.test_accuracy,
        "best_validation_accuracy": max(accuracies, default=None),
        "diverged_at": done.diverged_at,
    }
