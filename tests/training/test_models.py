"""Networks and optimizers: initial weights that depend on the seed alone, and tables that agree with the schema."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields

import pytest
import torch
from torch import nn

from harness.config import ConvergenceConfig
from harness.training import models, optimizers
from harness.training.models import MODELS, Normalize, weighted_layers
from harness.training.optimizers import OPTIMIZERS
from harness.training.reproducible import sha256

SHAPE, CLASSES = (1, 8, 8), 10


def normalize(features: int, activation: str | None) -> nn.Module:
    """Stand in for an implementation: PyTorch's own layers, of either rank."""
    layer = nn.SyncBatchNorm(features)
    return layer if activation is None else nn.Sequential(layer, nn.ReLU())


def made(name: str, normalized: Normalize | None = normalize, seed: int = 0) -> nn.Sequential:
    model = models.build(name, SHAPE, CLASSES, normalized)
    models.initialize(model, seed)
    return model


def weights(model: nn.Module) -> str:
    return sha256(layer.weight for layer in weighted_layers(model))


@pytest.mark.parametrize("name", MODELS)
def test_a_seed_gives_the_same_weights_with_normalization_and_without(name: str) -> None:
    assert weights(made(name)) == weights(made(name, None))


@pytest.mark.parametrize("name", MODELS)
def test_another_seed_gives_other_weights(name: str) -> None:
    assert weights(made(name, seed=0)) != weights(made(name, seed=1))


def test_weights_do_not_depend_on_pytorchs_generator() -> None:
    torch.manual_seed(1)
    before = weights(made("cnn"))
    torch.manual_seed(2)
    assert weights(made("cnn")) == before


def test_weights_have_variance_two_over_fan_in() -> None:
    for layer in weighted_layers(made("mlp")):
        weight = layer.weight
        assert weight.var().item() == pytest.approx(2 / weight.shape[1], rel=0.1)
        assert weight.mean().item() == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("name", MODELS)
def test_a_layer_before_a_normalization_has_no_bias_and_every_other_one_starts_at_zero(name: str) -> None:
    *normalized, last = weighted_layers(made(name))
    assert all(layer.bias is None for layer in normalized)
    biases = [layer.bias for layer in [last, *weighted_layers(made(name, None))]]
    assert all(bias is not None and not bias.any() for bias in biases)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("normalized", [normalize, None])
def test_a_network_gives_one_score_for_each_class(name: str, normalized: Normalize | None) -> None:
    model = made(name, normalized).eval()
    assert model(torch.zeros(3, *SHAPE)).shape == (3, CLASSES)


def test_relu_is_left_to_the_normalization_and_sigmoid_is_not() -> None:
    asked: list[str | None] = []

    def record(features: int, activation: str | None) -> nn.Module:
        asked.append(activation)
        return normalize(features, activation)

    assert not any(isinstance(layer, nn.ReLU) for layer in models.build("cnn", SHAPE, CLASSES, record))
    assert sum(isinstance(layer, nn.Sigmoid) for layer in models.build("mlp", SHAPE, CLASSES, record)) == 3
    assert asked == ["relu"] * 3 + [None] * 3


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_moves_only_what_has_a_gradient_and_decays_nothing(name: str) -> None:
    still, moved = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    optimizer = optimizers.make(name, [still, moved], 0.1)
    still.grad, moved.grad = torch.zeros(2), torch.ones(2)
    optimizer.step()
    assert still.tolist() == [1, 1]
    assert max(moved.tolist()) < 1


def test_momentum_keeps_going_where_plain_descent_stops() -> None:
    places = {}
    for name in ("sgd", "momentum"):
        parameter = nn.Parameter(torch.zeros(1))
        optimizer = optimizers.make(name, [parameter], 1.0)
        for gradient in (1.0, 0.0):
            parameter.grad = torch.tensor([gradient])
            optimizer.step()
        places[name] = parameter.item()
    assert places == {"sgd": pytest.approx(-1), "momentum": pytest.approx(-1.9)}


@pytest.mark.parametrize(("key", "table"), [("model", MODELS), ("optimizer", OPTIMIZERS)])
def test_the_configuration_allows_exactly_what_there_is(key: str, table: dict[str, object]) -> None:
    allowed = next(field.metadata["allowed"] for field in fields(ConvergenceConfig) if field.name == key)
    assert set(allowed) == set(table)


def test_unknown_names_are_answered_with_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"model=mpl; did you mean 'mlp'\?; allowed: mlp, cnn"):
        models.build("mpl", SHAPE, CLASSES, None)
    with pytest.raises(ValueError, match=r"optimizer=Adam; did you mean 'adam'\?"):
        optimizers.make("Adam", [], 0.1)


def test_planning_imports_nothing_heavy() -> None:
    program = "import sys, harness.tasks.convergence; print(*{'torch', 'sklearn', 'mlflow'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "\n"
