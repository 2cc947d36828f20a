"""The worker's service: a run in plain data, its hashes, and refusals that are no crashes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
import torch

from harness.config.choices import WITHOUT
from harness.records import Status, TrainingCell, from_plain, to_json
from harness.training import datasets, models, runner
from harness.training.messages import TrainingOutcome
from harness.training.runner import run


def done(
    arm: Any, cell: TrainingCell, checkpoint: str | None = None, **changes: Any
) -> TrainingOutcome:
    return run(
        lambda _: None,
        arm=arm,
        baseline="torch_native",
        cell=replace(cell, **changes),
        checkpoint=checkpoint,
    )


def test_a_run_has_all_its_figures_and_a_sample_a_step(cell: TrainingCell) -> None:
    outcome = done("torch_native", cell)
    assert outcome.status is Status.OK
    assert outcome.figures is not None
    absent = {name for name, value in vars(outcome.figures).items() if value is None}
    assert absent == {"diverged_at"}
    assert from_plain(json.loads(to_json(outcome)), TrainingOutcome) == outcome
    assert [step.step for step in outcome.samples] == list(range(1, 41))
    evaluated = [step for step in outcome.samples if step.accuracy is not None]
    assert [step.step for step in evaluated] == [10, 20, 30, 40]
    assert all(step.running_lag is not None for step in evaluated)


def test_a_device_that_is_not_there_is_no_fault_of_the_arm(
    cell: TrainingCell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    outcome = done("torch_native", cell, device="cuda")
    assert outcome.status is Status.UNAVAILABLE
    assert "no CUDA device" in outcome.reason


def test_normalization_reaches_the_target_sooner_than_none(cell: TrainingCell) -> None:
    with_it, without = (done(name, cell).figures for name in ("torch_native", WITHOUT))
    assert with_it.steps_to_target is not None
    assert without.steps_to_target is None
    assert without.seconds_to_target is None
    assert with_it.final_accuracy > without.final_accuracy


@pytest.mark.parametrize("model", models.MODELS)
def test_arms_of_one_seed_start_from_the_same_weights_and_data(
    cell: TrainingCell, model: str
) -> None:
    arms = [
        done(name, cell, model=model, steps=2).figures
        for name in ("torch_native", "numpy", WITHOUT)
    ]
    for key in ("initial_sha256", "data_sha256"):
        assert len({getattr(arm, key) for arm in arms}) == 1
    assert len({arm.parameters_sha256 for arm in arms}) > 1


def test_implementations_agree_in_their_first_losses(cell: TrainingCell) -> None:
    losses = [
        [sample.loss for sample in done(name, cell, steps=5).samples]
        for name in ("torch_native", "numpy")
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_a_divergence_is_told_with_its_step_and_without_a_final_accuracy(
    cell: TrainingCell,
) -> None:
    answer = done(WITHOUT, cell, model="cnn", learning_rate=1e38)
    to_json(answer)
    assert answer.status is Status.OK
    assert answer.figures.diverged_at == len(answer.samples) + 1
    assert answer.figures.final_accuracy is None


def test_a_divergence_in_the_first_step_has_no_seconds(
    cell: TrainingCell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.training.loop._update", lambda *_: float("nan"))
    figures = done(WITHOUT, cell).figures
    assert figures.diverged_at == 1
    assert figures.seconds_per_step is figures.final_loss is figures.seconds_to_target is None


def test_a_refusal_is_unsupported_with_its_reason(cell: TrainingCell, plugin: str) -> None:
    answer = done({"_target_": f"{plugin}.Refusing"}, cell)
    assert answer.status is Status.UNSUPPORTED
    assert "it takes no such problem" in answer.reason


def test_what_cannot_be_loaded_is_unavailable_with_the_reason(cell: TrainingCell) -> None:
    answer = done({"_target_": "not_installed.BatchNorm"}, cell)
    assert answer.status is Status.UNAVAILABLE
    assert "not_installed" in answer.reason


def test_data_are_read_once_for_many_runs_and_again_where_a_run_has_written_into_them(
    cell: TrainingCell, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    load = datasets.load
    monkeypatch.setattr(
        datasets, "load", lambda name, folder: asked.append((name, folder)) or load(name)
    )
    runner._loaded.cache_clear()
    hashes = [done(WITHOUT, cell, seed=seed, steps=1).figures.data_sha256 for seed in (0, 1)]
    assert asked == [("digits", None)]
    runner._loaded("digits", None)[0].train.images[0] += 1
    hashes.append(done(WITHOUT, cell, steps=1).figures.data_sha256)
    assert len(asked) == 2
    assert len(set(hashes)) == 1


@pytest.mark.parametrize("model", models.MODELS)
def test_each_network_takes_curves_as_images_of_height_one(cell: TrainingCell, model: str) -> None:
    answer = done("torch_native", cell, model=model, dataset="mnist1d", steps=1)
    assert answer.status is Status.OK
    assert len(answer.samples) == 1
