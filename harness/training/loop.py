"""Training: so many steps of one optimizer, with the curves and the clock that comparisons need.

Only training steps are on the clock; fetching a batch, looking and evaluating are not. The order of
the data depends on the seed alone. Networks are judged on the validation split while they learn,
and on the test split once, at the end.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from math import isfinite
from typing import Self

import torch
from torch.nn.functional import cross_entropy

from harness.records import Seconds, TrainingCell, TrainingStep
from harness.training import optimizers
from harness.training.checkpoints import Checkpoint
from harness.training.datasets import Dataset, Split
from harness.training.messages import StepProgress
from harness.training.metrics import evaluate, norm, running_lag
from harness.training.seeding import RandomStream, generator
from harness.training.steps import Training
from harness.training.timer import Every

TELL_SECONDS = 0.5


@dataclass(frozen=True)
class Recipe:
    """How to train. ``evaluate_every`` is in steps, ``target`` a validation accuracy from 0
    to 1.
    """

    optimizer: str
    learning_rate: float
    batch: int
    steps: int
    evaluate_every: int
    target: float
    stop_at_target: bool
    seed: int

    @classmethod
    def from_cell(cls, cell: TrainingCell) -> Self:
        return cls(**{field.name: getattr(cell, field.name) for field in fields(cls)})


def train(
    model: torch.nn.Module,
    data: Dataset,
    recipe: Recipe,
    progress: Callable[[StepProgress], None],
    checkpoint: Checkpoint | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Training:
    """Train ``model`` in place, on the device where it and ``data`` are, from the ``checkpoint`` on
    if there is one.

    A loss that is not finite ends it, and so does the target, if the recipe says that it stops
    there.
    """
    optimizer = optimizers.make(recipe.optimizer, model.parameters(), recipe.learning_rate)
    checkpoint = checkpoint or Checkpoint(None, 0)
    so_far = checkpoint.restore(model, optimizer)
    tell = Every(TELL_SECONDS, time.monotonic)
    diverged_at = None
    for batch in batches(data.train, recipe.batch, recipe.seed, len(so_far.steps)):
        number = len(so_far.steps) + 1
        if number > recipe.steps or (
            recipe.stop_at_target and _reached(so_far.steps, recipe.target)
        ):
            break
        began = clock()
        loss = _update(model, optimizer, batch)
        ended = clock()
        if not isfinite(loss):
            diverged_at = number
            break
        so_far.steps.append(
            _looked_at(
                TrainingStep(number, loss, Seconds(ended - began)), model, batch, data, recipe
            )
        )
        if so_far.steps[-1].accuracy is not None:
            so_far.evaluation_seconds = Seconds(so_far.evaluation_seconds + clock() - ended)
        checkpoint.offer(model, optimizer, so_far)
        if tell.due() or number == recipe.steps:
            progress(StepProgress(number, recipe.steps))
    accuracy = evaluate(model, data.test) if diverged_at is None else None
    return Training(
        tuple(so_far.steps), diverged_at, accuracy, so_far.evaluation_seconds, so_far.resumed_after
    )


def batches(split: Split, size: int, seed: int, skipped: int = 0) -> Iterator[Split]:
    """Batches of exactly ``size``, without end, after so many that are ``skipped``.

    Each epoch is a permutation of its own, drawn from the seed and the epoch's number, whose
    remainder is left out. Raises ValueError where the split is smaller than one batch.
    """
    if size > len(split):
        raise ValueError(
            f"batch={size} is more than there are images to train on; allowed: 1 to {len(split)}"
        )
    epoch, position = divmod(skipped, len(split) // size)
    while True:
        drawn = generator(RandomStream.ORDER, seed, epoch)
        order = torch.from_numpy(drawn.permutation(len(split))).to(split.labels.device)
        for start in range(position * size, len(split) - size + 1, size):
            rows = order[start : start + size]
            yield Split(split.images[rows], split.labels[rows])
        epoch, position = epoch + 1, 0


def _update(model: torch.nn.Module, optimizer: torch.optim.Optimizer, batch: Split) -> float:
    """One step. Reading the loss last waits until a GPU has done it."""
    optimizer.zero_grad()
    loss = cross_entropy(model(batch.images), batch.labels)
    loss.backward()  # type: ignore[no-untyped-call]  # PyTorch leaves it untyped
    optimizer.step()
    return loss.item()


def _looked_at(
    step: TrainingStep, model: torch.nn.Module, batch: Split, data: Dataset, recipe: Recipe
) -> TrainingStep:
    """With norms, and where it is time to evaluate, with what that tells."""
    parameters = list(model.parameters())
    step = replace(
        step,
        gradient_norm=norm(parameter.grad for parameter in parameters),
        weight_norm=norm(parameters),
    )
    if step.step % recipe.evaluate_every and step.step != recipe.steps:
        return step
    return replace(
        step,
        accuracy=evaluate(model, data.validation),
        running_lag=running_lag(model, batch.images),
    )


def _reached(steps: list[TrainingStep], target: float) -> bool:
    accuracy = steps[-1].accuracy if steps else None
    return accuracy is not None and accuracy >= target
