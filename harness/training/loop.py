"""Training: so many steps of one optimizer, with the curves and the clock that comparisons need.

Only training steps are on the clock; fetching a batch and evaluating are not. The order of the data depends on the seed
alone. Networks are judged on the validation split while they learn, and on the test split once, at the end.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from math import isfinite
from statistics import median
from typing import Any, NamedTuple, Self

import torch
from torch.nn.functional import cross_entropy

from harness.training import optimizers
from harness.training.datasets import Dataset, Split
from harness.training.reproducible import Stream, generator

REPORTS = 20  # how often a run tells of its progress


@dataclass(frozen=True)
class Recipe:
    """How to train. ``evaluate_every`` is in steps, ``target`` a validation accuracy from 0 to 1."""

    optimizer: str
    learning_rate: float
    batch: int
    steps: int
    evaluate_every: int
    target: float
    seed: int

    @classmethod
    def from_cell(cls, cell: Mapping[str, Any]) -> Self:
        return cls(**{field.name: cell[field.name] for field in fields(cls)})


class Step(NamedTuple):
    """One update. ``accuracy`` is the validation split's after it, where it was evaluated; ``seconds`` are its own."""

    step: int
    loss: float
    accuracy: float | None
    seconds: float


@dataclass(frozen=True)
class Training:
    """What a run did. ``steps`` end before the loss was first not finite, which was at ``diverged_at`` if it was."""

    steps: tuple[Step, ...]
    diverged_at: int | None
    test_accuracy: float | None
    evaluation_seconds: float

    def steps_to(self, target: float) -> int | None:
        """After how many steps an evaluation first met the target; None where none did."""
        return next((step.step for step in self.steps if step.accuracy is not None and step.accuracy >= target), None)

    def seconds_to(self, target: float) -> float | None:
        """The same in seconds, all steps at the median's pace: neither compilation nor a busy machine counts."""
        reached = self.steps_to(target)
        return None if reached is None else reached * self.seconds_per_step

    @property
    def seconds_per_step(self) -> float:
        """The median, without the first step where there are more. Needs at least one step."""
        return median(step.seconds for step in self.steps[1:] or self.steps)


def train(
    model: torch.nn.Module,
    data: Dataset,
    recipe: Recipe,
    progress: Callable[[dict[str, int]], None],
    clock: Callable[[], float] = time.perf_counter,
) -> Training:
    """Train ``model`` in place, on the device where it and ``data`` are; a loss that is not finite ends it."""
    optimizer = optimizers.make(recipe.optimizer, model.parameters(), recipe.learning_rate)
    steps: list[Step] = []
    evaluation = 0.0
    for number, batch in zip(range(1, recipe.steps + 1), batches(data.train, recipe.batch, recipe.seed), strict=False):
        began = clock()
        loss = _update(model, optimizer, batch)
        ended = clock()
        if not isfinite(loss):
            return Training(tuple(steps), number, None, evaluation)
        accuracy = None
        if number % recipe.evaluate_every == 0 or number == recipe.steps:
            accuracy = evaluate(model, data.validation)
            evaluation += clock() - ended
        steps.append(Step(number, loss, accuracy, ended - began))
        if number % max(1, recipe.steps // REPORTS) == 0:
            progress({"step": number, "steps": recipe.steps})
    return Training(tuple(steps), None, evaluate(model, data.test), evaluation)


def batches(split: Split, size: int, seed: int) -> Iterator[Split]:
    """Batches of exactly ``size``, without end: each epoch is a new permutation, whose remainder is left out.

    Raises ValueError where the split is smaller than one batch.
    """
    if size > len(split):
        raise ValueError(f"batch={size} is more than there are images to train on; allowed: 1 to {len(split)}")
    drawn = generator(Stream.ORDER, seed)
    while True:
        order = torch.from_numpy(drawn.permutation(len(split))).to(split.labels.device)
        for start in range(0, len(split) - size + 1, size):
            rows = order[start:start + size]
            yield Split(split.images[rows], split.labels[rows])


def evaluate(model: torch.nn.Module, split: Split) -> float:
    """The share of images that ``model`` gives their own label, with running statistics. Leaves it in training mode."""
    model.eval()
    with torch.no_grad():
        correct = model(split.images).argmax(1) == split.labels
    model.train()
    return int(correct.sum()) / len(split)


def _update(model: torch.nn.Module, optimizer: torch.optim.Optimizer, batch: Split) -> float:
    """One step. Reading the loss last waits until a GPU has done it."""
    optimizer.zero_grad()
    loss = cross_entropy(model(batch.images), batch.labels)
    loss.backward()  # type: ignore[no-untyped-call]  # PyTorch leaves it untyped
    optimizer.step()
    return loss.item()
