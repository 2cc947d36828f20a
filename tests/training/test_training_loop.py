"""The training loop: what is on the clock, what counts as reaching a target, and what becomes of a
divergence.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import islice
from math import isfinite
from typing import Any

import pytest
import torch
from torch import nn

from harness.records import Seconds, TrainingStep
from harness.training import models, optimizers
from harness.training.datasets import Dataset, Split
from harness.training.hashes import sha256
from harness.training.loop import Recipe, batches, train
from harness.training.messages import StepProgress
from harness.training.metrics import evaluate
from harness.training.steps import Training

TRAINING_SECONDS, EVALUATION_SECONDS = 1.0, 100.0


class Timed(nn.Module):
    """A network and the clock that it moves: seconds pass only while it computes. Counts what it is
    shown, too.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.now = 0.0
        self.shown: Counter[tuple[bool, int]] = Counter()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.now += TRAINING_SECONDS if self.training else EVALUATION_SECONDS
        self.shown[self.training, len(images)] += 1
        scores: torch.Tensor = self.network(images)
        return scores


def recipe(**changes: object) -> Recipe:
    usual: dict[str, Any] = {
        "optimizer": "sgd",
        "learning_rate": 0.1,
        "batch": 30,
        "steps": 20,
        "evaluate_every": 5,
        "target": 0.9,
        "stop_at_target": False,
        "seed": 0,
    }
    return Recipe(**{**usual, **changes})


def network(data: Dataset) -> nn.Module:
    model = models.build(
        "mlp", data.shape, data.classes, lambda features, _: nn.BatchNorm1d(features), bias=False
    )
    models.initialize(model, 0)
    return model


def trained(data: Dataset, **changes: object) -> Training:
    return train(network(data), data, recipe(**changes), lambda _: None)


def steps(*accuracies: float | None, seconds: float = 1.0) -> tuple[TrainingStep, ...]:
    return tuple(
        TrainingStep(number, 1.0, Seconds(seconds), accuracy=accuracy)
        for number, accuracy in enumerate(accuracies, 1)
    )


def training(*steps: TrainingStep) -> Training:
    """One that did not diverge, and whose evaluations took no time."""
    return Training(steps, None, 0.8, Seconds(0))


def test_evaluation_is_off_the_clock(blobs: Dataset) -> None:
    model = Timed(network(blobs))
    done = train(model, blobs, recipe(evaluate_every=1), lambda _: None, clock=lambda: model.now)
    assert {step.seconds for step in done.steps} == {TRAINING_SECONDS}
    # running statistics are looked at, too
    assert done.evaluation_seconds == 20 * (EVALUATION_SECONDS + TRAINING_SECONDS)


def test_the_test_split_is_touched_once(blobs: Dataset) -> None:
    shortened = replace(blobs, test=Split(blobs.test.images[:5], blobs.test.labels[:5]))
    model = Timed(network(blobs))
    train(model, shortened, recipe(), lambda _: None)
    assert model.shown == {(True, 30): 20 + 4, (False, len(blobs.validation)): 4, (False, 5): 1}


def test_accuracy_is_evaluated_at_every_interval_and_after_the_last_step(blobs: Dataset) -> None:
    done = trained(blobs, steps=12)
    assert [step.step for step in done.steps if step.accuracy is not None] == [5, 10, 12]


def test_a_miss_is_recorded_as_none_not_as_zero() -> None:
    missed = training(*steps(None, 0.5, None, 0.89))
    assert missed.steps_to(0.9) is None
    assert missed.seconds_to(0.9) is None


def test_the_target_is_reached_at_the_first_evaluation_that_meets_it() -> None:
    done = training(*steps(None, 0.5, None, 0.9, None, 0.95, seconds=0.5))
    assert done.steps_to(0.9) == 4
    assert done.seconds_to(0.9) == pytest.approx(2)


def test_the_first_steps_compilation_counts_for_nothing() -> None:
    done = training(
        TrainingStep(1, 1.0, Seconds(60.0)), TrainingStep(2, 1.0, Seconds(1.0), accuracy=0.9)
    )
    assert done.seconds_per_step == pytest.approx(1)
    assert done.seconds_to(0.9) == pytest.approx(2)


def test_a_single_step_is_its_own_median() -> None:
    assert training(*steps(0.9, seconds=3.0)).seconds_per_step == pytest.approx(3)


def test_a_divergence_ends_the_run_and_leaves_only_finite_losses(blobs: Dataset) -> None:
    done = trained(blobs, learning_rate=1e38)
    assert done.diverged_at is not None
    assert [step.step for step in done.steps] == list(range(1, done.diverged_at))
    assert all(isfinite(step.loss) for step in done.steps)
    assert done.test_accuracy is None


@pytest.mark.parametrize("name", optimizers.OPTIMIZERS)
def test_every_optimizer_learns_what_is_easy(blobs: Dataset, name: str) -> None:
    done = trained(blobs, optimizer=name, learning_rate=0.01, steps=80)
    assert done.test_accuracy is not None
    assert done.test_accuracy > 0.9
    assert done.steps[-1].loss < done.steps[0].loss / 2


def test_the_same_seed_leads_to_the_same_parameters_and_another_does_not(blobs: Dataset) -> None:
    hashes = []
    for seed in (0, 0, 1):
        model = network(blobs)
        train(model, blobs, recipe(seed=seed), lambda _: None)
        hashes.append(sha256(model.state_dict().values()))
    assert hashes[0] == hashes[1] != hashes[2]


def test_the_order_of_the_data_is_a_new_permutation_each_epoch_and_the_seeds_alone(
    blobs: Dataset,
) -> None:
    epoch = len(blobs.train) // 50
    shown = [batch.images for batch in islice(batches(blobs.train, 50, seed=0), 2 * epoch)]
    again = [batch.images for batch in islice(batches(blobs.train, 50, seed=0), 2 * epoch)]
    first, second = torch.cat(shown[:epoch]), torch.cat(shown[epoch:])
    assert len({tuple(image) for image in first.flatten(1).tolist()}) == len(first) == epoch * 50
    assert all(map(torch.equal, shown, again))
    assert not torch.equal(first, second)
    assert not torch.equal(shown[0], next(batches(blobs.train, 50, seed=1)).images)


def test_every_batch_has_the_size_that_was_asked_for(blobs: Dataset) -> None:
    assert {len(batch) for batch in islice(batches(blobs.train, 50, seed=0), 10)} == {50}


def test_a_batch_larger_than_the_training_split_is_refused(blobs: Dataset) -> None:
    with pytest.raises(ValueError, match=r"batch=121 .* allowed: 1 to 120"):
        next(batches(blobs.train, 121, seed=0))


def test_evaluation_uses_running_statistics_and_changes_nothing(blobs: Dataset) -> None:
    model = network(blobs)
    before = sha256(model.state_dict().values())
    one_by_one = [
        evaluate(model, Split(blobs.test.images[[row]], blobs.test.labels[[row]]))
        for row in range(len(blobs.test))
    ]
    assert evaluate(model, blobs.test) == pytest.approx(sum(one_by_one) / len(one_by_one))
    assert sha256(model.state_dict().values()) == before
    assert model.training


def test_progress_is_shown_now_and_then_and_at_the_end(
    blobs: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: dict[float, list[StepProgress]] = {0.0: [], 1e6: []}
    for seconds, at in shown.items():
        monkeypatch.setattr("harness.training.loop.TELL_SECONDS", seconds)
        train(network(blobs), blobs, recipe(steps=20), at.append)
    assert [at.step for at in shown[0.0]] == list(range(1, 21))
    assert shown[1e6] == [StepProgress(20, 20)]


def test_training_stops_at_the_target_where_it_is_asked_to(blobs: Dataset) -> None:
    through, stopped = (
        trained(blobs, steps=80, learning_rate=0.5, stop_at_target=stop) for stop in (False, True)
    )
    reached = through.steps_to(0.9)
    assert reached is not None
    assert len(through.steps) == 80
    assert [step.loss for step in stopped.steps] == [step.loss for step in through.steps[:reached]]
    assert stopped.test_accuracy is not None


def test_norms_are_known_of_every_step_and_the_lag_where_it_was_evaluated(blobs: Dataset) -> None:
    done = trained(blobs, steps=10)
    assert all(step.gradient_norm and step.weight_norm for step in done.steps)
    assert [step.step for step in done.steps if step.running_lag is not None] == [5, 10]


def test_batches_after_some_that_are_skipped_are_those_that_come_then(blobs: Dataset) -> None:
    for skipped in (0, 1, 2, 5):
        there, here = (
            islice(batches(blobs.train, 50, 0), skipped, skipped + 4),
            batches(blobs.train, 50, 0, skipped),
        )
        assert all(
            torch.equal(one.images, other.images) for one, other in zip(there, here, strict=False)
        )
