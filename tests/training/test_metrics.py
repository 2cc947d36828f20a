"""Metrics taken between steps change nothing, and measure what their names say."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from harness.training.hashes import sha256
from harness.training.metrics import norm, running_lag

BATCH = torch.tensor([[-1.0, 10.0], [1.0, 14.0]])  # means 0 and 12, standard deviations 1 and 2


def test_a_norm_is_of_all_tensors_together_and_of_those_that_are_there() -> None:
    assert norm([torch.tensor([3.0]), None, torch.tensor([[0.0, 4.0]])]) == pytest.approx(5)


def test_a_norm_that_is_not_finite_is_none() -> None:
    assert norm([torch.tensor([float("inf")])]) is None


def test_the_lag_is_how_many_standard_deviations_running_means_are_away() -> None:
    layer = nn.BatchNorm1d(2)
    layer.running_mean.copy_(torch.tensor([3.0, 12.0]))
    assert running_lag(nn.Sequential(layer), BATCH) == pytest.approx((3**2 / 2) ** 0.5)


def test_running_means_that_keep_up_have_no_lag() -> None:
    layer = nn.BatchNorm1d(2, momentum=1.0)
    layer(BATCH)
    assert running_lag(layer, BATCH) == pytest.approx(0, abs=1e-6)


def test_channels_that_do_not_vary_are_left_out() -> None:
    layer = nn.BatchNorm1d(2)
    assert running_lag(layer, torch.tensor([[0.0, 5.0], [2.0, 5.0]])) == pytest.approx(1)


@pytest.mark.parametrize(
    "model", [nn.Linear(2, 2), nn.BatchNorm1d(2, track_running_stats=False), nn.GroupNorm(1, 2)]
)
def test_networks_without_running_statistics_have_no_lag_to_tell(model: nn.Module) -> None:
    assert running_lag(model, BATCH) is None


def test_looking_changes_no_buffer_and_leaves_no_hook() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    before = sha256(model.state_dict().values())
    running_lag(model, BATCH)
    assert sha256(model.state_dict().values()) == before
    assert not model[1]._forward_pre_hooks
    assert model.training
