"""Networks and optimizers: initial weights that depend on the seed alone, and tables that agree
with the schema.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields

import pytest
import torch
from torch import nn

from harness.config import ConvergenceConfig
from harness.training import models, optimizers
from harness.training.hashes import sha256
from harness.training.models import MODELS, weighted_layers
from harness.training.models.resnet20 import ResidualBlock
from harness.training.normalization import Normalize, normalizing
from harness.training.optimizers import OPTIMIZERS

SHAPE, CLASSES = (1, 8, 8), 10
NORMALIZED, PLAIN = (
    normalizing(arm, baseline=None, ghost_batch=None) for arm in ("torch_native", "none")
)


def made(
    name: str,
    normalize: Normalize = NORMALIZED,
    seed: int = 0,
    *,
    bias: bool = False,
    scale: float = 1.0,
) -> nn.Module:
    model = models.build(name, SHAPE, CLASSES, normalize, bias=bias)
    models.initialize(model, seed, scale)
    return model


def weights(model: nn.Module) -> str:
    return sha256(layer.weight for layer in weighted_layers(model))


@pytest.mark.parametrize("name", MODELS)
def test_a_seed_gives_the_same_weights_with_normalization_and_without(name: str) -> None:
    assert weights(made(name)) == weights(made(name, PLAIN, bias=True))


@pytest.mark.parametrize("name", MODELS)
def test_another_seed_gives_other_weights(name: str) -> None:
    assert weights(made(name, seed=0)) != weights(made(name, seed=1))


@pytest.mark.parametrize("name", ["cnn", "resnet20"])
def test_in_channels_last_every_batch_norm_gets_it_and_gives_it_on(name: str) -> None:
    seen = []

    def recording(features: int, activation: str | None) -> nn.Module:
        layer = NORMALIZED(features, activation)
        layer.register_forward_hook(lambda _, arguments, output: seen.extend([*arguments, output]))
        return layer

    model = models.build(name, SHAPE, CLASSES, recording, bias=False, memory_format="channels_last")
    models.initialize(model, 0, 1.0)
    assert weights(model) == weights(made(name))
    model(torch.randn(3, *SHAPE)).sum().backward()
    images = [
        tensor
        for tensor in seen
        if tensor is not None and tensor.dim() == 4 and tensor.shape[2] > 1
    ]
    assert len(images) > 3
    assert all(tensor.is_contiguous(memory_format=torch.channels_last) for tensor in images)


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
def test_a_layer_before_a_normalization_has_no_bias_and_every_other_one_starts_at_zero(
    name: str,
) -> None:
    *before, last = weighted_layers(made(name))
    assert all(layer.bias is None for layer in before)
    biases = [layer.bias for layer in [last, *weighted_layers(made(name, PLAIN, bias=True))]]
    assert all(bias is not None and not bias.any() for bias in biases)


def test_a_scale_multiplies_every_initial_weight() -> None:
    assert all(
        torch.equal(layer.weight, other.weight * 4)
        for layer, other in zip(
            weighted_layers(made("cnn", scale=4.0)), weighted_layers(made("cnn")), strict=True
        )
    )


def test_resnet20_has_twenty_layers_with_weights_and_as_many_parameters_as_its_paper_says() -> None:
    model = models.build("resnet20", (3, 32, 32), CLASSES, NORMALIZED, bias=False)
    assert len(list(weighted_layers(model))) == 20
    assert round(sum(parameter.numel() for parameter in model.parameters()), -4) == 270_000


def test_a_residual_block_adds_its_input_and_zeros_for_channels_that_the_input_lacks() -> None:
    block = ResidualBlock(2, 4, PLAIN, bias=False)
    torch.nn.init.zeros_(block.second.weight)
    image = torch.arange(32.0).reshape(1, 2, 4, 4) + 1
    assert torch.equal(block(image)[:, 1:3], image[:, :, ::2, ::2])
    assert not block(image)[:, [0, 3]].any()


def test_the_options_of_a_model_are_its_own_unless_others_are_given() -> None:
    assert models.options_of("mlp", {"depth": 8, "width": None}) == {
        "depth": 8,
        "width": 100,
        "activation": "sigmoid",
    }
    deep = models.build("mlp", SHAPE, CLASSES, NORMALIZED, bias=False, depth=8, width=5)
    assert [layer.weight.shape[0] for layer in weighted_layers(deep)] == [5] * 8 + [CLASSES]


def test_an_option_that_a_model_does_not_take_is_refused_with_those_that_do() -> None:
    with pytest.raises(ValueError, match=r"depth=3 is not an option of model=resnet20; .*: mlp$"):
        models.options_of("resnet20", {"depth": 3})


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("shape", [SHAPE, (1, 1, 40), (3, 7, 5)])
def test_a_network_gives_one_score_for_each_class_of_images_of_any_shape(
    name: str, shape: tuple[int, int, int]
) -> None:
    model = models.build(name, shape, CLASSES, NORMALIZED, bias=False).eval()
    assert model(torch.zeros(3, *shape)).shape == (3, CLASSES)


def test_relu_is_left_to_the_normalization_and_sigmoid_is_not() -> None:
    asked: list[str | None] = []

    def record(features: int, activation: str | None) -> nn.Module:
        asked.append(activation)
        return NORMALIZED(features, activation)

    cnn, mlp = (models.build(name, SHAPE, CLASSES, record, bias=False) for name in ("cnn", "mlp"))
    assert not any(isinstance(layer, nn.ReLU) for layer in cnn.modules())
    assert sum(isinstance(layer, nn.Sigmoid) for layer in mlp.modules()) == 3
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
    allowed = next(
        field.metadata["allowed"] for field in fields(ConvergenceConfig) if field.name == key
    )
    assert set(allowed) == set(table)


def test_unknown_names_are_answered_with_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"model=mpl; did you mean 'mlp'\?; allowed: mlp, cnn"):
        models.build("mpl", SHAPE, CLASSES, PLAIN, bias=True)
    with pytest.raises(ValueError, match=r"optimizer=Adam; did you mean 'adam'\?"):
        optimizers.make("Adam", [], 0.1)


def test_planning_imports_nothing_heavy() -> None:
    program = (
        "import sys, harness.tasks.convergence; print(*{'torch', 'sklearn', 'mlflow'} & "
        "set(sys.modules))"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        ).stdout
        == "\n"
    )
