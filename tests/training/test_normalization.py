"""Arms of a training: what each puts between a layer and its activation."""

from __future__ import annotations

import pytest
import torch

from harness.config.choices import ALTERNATIVES
from harness.training.normalization import groups, normalizing

ARMS = ("torch_native", *ALTERNATIVES)
SHAPES = [(8, 6), (8, 6, 5, 5)]


def layer(arm: str, features: int = 6, activation: str | None = None) -> torch.nn.Module:
    return normalizing(arm, baseline="torch_native", ghost_batch=4)(features, activation)


def images(shape: tuple[int, ...]) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0)) * 3 + 2


@pytest.mark.parametrize("arm", ARMS)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_arm_adds_the_residual_before_the_activation(
    arm: str, shape: tuple[int, ...]
) -> None:
    x, residual = images(shape), images(shape).flip(0)
    expected = torch.relu(layer(arm)(x) + residual)
    torch.testing.assert_close(layer(arm, activation="relu")(x, residual), expected)


@pytest.mark.parametrize("shape", SHAPES)
def test_ghost_batch_norm_normalizes_each_part_of_the_batch_by_itself(
    shape: tuple[int, ...],
) -> None:
    x = images(shape)
    whole = layer("torch_native")
    parts = torch.cat([whole(x[:4]), whole(x[4:])])
    ghost = layer("ghost_batch_norm")
    assert torch.equal(ghost(x), parts)
    assert all(map(torch.equal, ghost.state_dict().values(), whole.state_dict().values()))


def test_ghost_batch_norm_infers_with_running_statistics_whatever_the_batch() -> None:
    ghost = layer("ghost_batch_norm")
    ghost(images((8, 6)))
    ghost.eval()
    x = images((7, 6))
    torch.testing.assert_close(ghost(x), torch.cat([ghost(x[:1]), ghost(x[1:])]))


@pytest.mark.parametrize("shape", SHAPES)
def test_layer_norm_normalizes_a_sample_over_channels_and_pixels(shape: tuple[int, ...]) -> None:
    output = layer("layer_norm")(images(shape)).flatten(1)
    torch.testing.assert_close(output.mean(1), torch.zeros(8), atol=1e-5, rtol=0)
    torch.testing.assert_close(output.var(1, correction=0), torch.ones(8), atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("features", "expected"), [(16, 1), (32, 2), (64, 4), (100, 10), (7, 1), (17, 1), (1, 1)]
)
def test_groups_are_alike_and_hold_up_to_sixteen_channels_but_never_one(
    features: int, expected: int
) -> None:
    assert groups(features) == expected
    assert features % expected == 0


def test_no_normalization_changes_nothing() -> None:
    assert torch.equal(layer("none")(images((8, 6))), images((8, 6)))
