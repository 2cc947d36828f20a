"""What stands between a layer and its activation: batch norm by an implementation, another
normalization, or nothing.

Each is a module that is called with its input and, in a residual network, with a residual that is
added before the activation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

import implementations
from harness.config.choices import GHOST, GROUP, LAYER, WITHOUT, TrainingActivation

Normalize = Callable[[int, str | None], nn.Module]

ACTIVATIONS: Mapping[TrainingActivation, type[nn.Module]] = {
    "relu": nn.ReLU,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
}
# in a group, at most. Wu & He 2018, table 3: as good as a fixed number of groups
GROUP_CHANNELS = 16


class Followed(nn.Module):
    """Any normalization, with what an implementation of BN does besides: the residual, and then
    ReLU.
    """

    def __init__(self, normalization: nn.Module, activation: str | None) -> None:
        super().__init__()
        self.normalization = normalization
        self.activation = activation

    def forward(self, input: torch.Tensor, residual: torch.Tensor | None = None) -> torch.Tensor:
        output: torch.Tensor = self.normalization(input)
        output = output if residual is None else output + residual
        return output if self.activation is None else torch.relu(output)


class GhostBatchNorm(nn.Module):
    """Batch norm of so many samples at a time in training, each with statistics of their own.
    Source: Hoffer et al. 2017.

    The running statistics take in one part after the other.
    """

    def __init__(self, normalization: nn.Module, samples: int) -> None:
        super().__init__()
        self.normalization = normalization
        self.samples = samples

    def forward(self, input: torch.Tensor, residual: torch.Tensor | None = None) -> torch.Tensor:
        if not self.training:
            output: torch.Tensor = self.normalization(input, residual)
            return output
        parts = torch.split(input, self.samples)
        residuals = [None] * len(parts) if residual is None else torch.split(residual, self.samples)
        return torch.cat([self.normalization(*both) for both in zip(parts, residuals, strict=True)])


def normalizing(arm: Any, *, baseline: Any, ghost_batch: int | None) -> Normalize:
    """What makes the normalization of an ``arm``: one of `config.choices.ALTERNATIVES`, or an
    implementation of BN.

    Ghost batch norm is by the implementation ``baseline``.
    """

    def batch_norm(features: int, activation: str | None, by: Any = arm) -> nn.Module:
        return implementations.BatchNorm(features, implementation=by, activation=activation)

    match arm:
        case _ if arm == WITHOUT:
            return lambda _, activation: Followed(nn.Identity(), activation)
        case _ if arm == GROUP:
            return lambda features, activation: Followed(
                nn.GroupNorm(groups(features), features), activation
            )
        case _ if arm == LAYER:  # over channels and pixels: one group, as Wu & He 2018 have it
            return lambda features, activation: Followed(nn.GroupNorm(1, features), activation)
        case _ if arm == GHOST and ghost_batch is not None:
            return lambda features, activation: GhostBatchNorm(
                batch_norm(features, activation, baseline), ghost_batch
            )
        case _:
            return batch_norm


def groups(features: int) -> int:
    """How many groups of at most `GROUP_CHANNELS` channels each, all alike; one of all where there
    are no such.
    """
    largest = next(size for size in range(GROUP_CHANNELS, 0, -1) if features % size == 0)
    return 1 if largest == 1 else features // largest


def normalized(
    normalize: Normalize, features: int, activation: TrainingActivation
) -> list[nn.Module]:
    """A normalization and its activation: one module for ReLU, which an implementation may fuse,
    else two.
    """
    if activation == "relu":
        return [normalize(features, activation)]
    return [normalize(features, None), ACTIVATIONS[activation]()]
