"""The worker's service: a run in plain data, its hashes, and refusals that are no crashes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.config.choices import WITHOUT
from harness.training import datasets, models, runner
from harness.training.runner import run


def done(
    arm: Any, cell: dict[str, Any], checkpoint: str | None = None, **changes: Any
) -> dict[str, Any]:
    return run(
        lambda _: None,
        arm=arm,
        baseline="torch_native",
        cell={**cell, **changes},
        checkpoint=checkpoint,
    )


def test_a_run_tells_all_its_figures_in_plain_data(cell: dict[str, Any]) -> None:
    answer = done("torch_native", cell)
    assert answer["status"] == "OK"
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer
    assert set(answer["figures"]) == {
        "steps_to_target",
        "seconds_to_target",
        "seconds_per_step",
        "samples_per_second",
        "first_step_seconds",
        "steps",
        "diverged_at",
        "resumed_after",
        "instruction_set",
        "final_loss",
        "final_accuracy",
        "best_validation_accuracy",
        "data_sha256",
        "initial_sha256",
        "parameters_sha256",
        "losses_sha256",
    }
    assert len(answer["samples"]) == 40
    assert set(answer["samples"][0]) == {
        "step",
        "loss",
        "seconds",
        "gradient_norm",
        "weight_norm",
        "accuracy",
        "running_lag",
    }


def test_normalization_reaches_the_target_sooner_than_none(cell: dict[str, Any]) -> None:
    with_it, without = (done(name, cell)["figures"] for name in ("torch_native", WITHOUT))
    assert with_it["steps_to_target"] is not None
    assert without["steps_to_target"] is None
    assert without["seconds_to_target"] is None
    assert with_it["final_accuracy"] > without["final_accuracy"]


@pytest.mark.parametrize("model", models.MODELS)
def test_arms_of_one_seed_start_from_the_same_weights_and_data(
    cell: dict[str, Any], model: str
) -> None:
    arms = [
        done(name, cell, model=model, steps=2)["figures"]
        for name in ("torch_native", "numpy", WITHOUT)
    ]
    for key in ("initial_sha256", "data_sha256"):
        assert len({arm[key] for arm in arms}) == 1
    assert len({arm["parameters_sha256"] for arm in arms}) > 1


def test_implementations_agree_in_their_first_losses(cell: dict[str, Any]) -> None:
    losses = [
        [sample["loss"] for sample in done(name, cell, steps=5)["samples"]]
        for name in ("torch_native", "numpy")
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_a_divergence_is_told_with_its_step_and_without_a_final_accuracy(
    cell: dict[str, Any],
) -> None:
    answer = done(WITHOUT, cell, model="cnn", learning_rate=1e38)
    json.dumps(answer, allow_nan=False)
    assert answer["status"] == "OK"
    assert answer["figures"]["diverged_at"] == len(answer["samples"]) + 1
    assert answer["figures"]["final_accuracy"] is None


def test_a_divergence_in_the_first_step_has_no_seconds(
    cell: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.training.loop._update", lambda *_: float("nan"))
    figures = done(WITHOUT, cell)["figures"]
    assert figures["diverged_at"] == 1
    assert (
        figures["seconds_per_step"] is figures["final_loss"] is figures["seconds_to_target"] is None
    )


def test_a_refusal_is_unsupported_with_its_reason(cell: dict[str, Any], plugin: str) -> None:
    answer = done({"_target_": f"{plugin}.Refusing"}, cell)
    assert answer["status"] == "UNSUPPORTED"
    assert "it takes no such problem" in answer["reason"]


def test_what_cannot_be_loaded_is_unavailable_with_the_reason(cell: dict[str, Any]) -> None:
    answer = done({"_target_": "not_installed.BatchNorm"}, cell)
    assert answer["status"] == "UNAVAILABLE"
    assert "not_installed" in answer["reason"]


def test_data_are_read_once_for_many_runs_and_again_where_a_run_has_written_into_them(
    cell: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []
    load = datasets.load
    monkeypatch.setattr(
        datasets, "load", lambda name, folder: asked.append((name, folder)) or load(name)
    )
    runner._loaded.cache_clear()
    hashes = [done(WITHOUT, cell, seed=seed, steps=1)["figures"]["data_sha256"] for seed in (0, 1)]
    assert asked == [("digits", None)]
    runner._loaded("digits", None)[0].train.images[0] += 1
    hashes.append(done(WITHOUT, cell, steps=1)["figures"]["data_sha256"])
    assert len(asked) == 2
    assert len(set(hashes)) == 1


@pytest.mark.parametrize("model", models.MODELS)
def test_each_network_takes_curves_as_images_of_height_one(
    cell: dict[str, Any], model: str
) -> None:
    answer = done("torch_native", {**cell, "model": model, "dataset": "mnist1d"}, steps=1)
    assert answer["status"] == "OK"
    assert len(answer["samples"]) == 1
