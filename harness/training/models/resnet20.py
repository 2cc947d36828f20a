"""ResNet-20: three stages of three residual blocks, each of two 3×3 convolutions.

Source: He et al. 2016, "Deep Residual Learning for Image Recognition", section 4.2, with its
shortcuts of option A: where a stage halves the image and doubles the channels, every other pixel,
and zeros for the new channels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn.functional import pad

if TYPE_CHECKING:
    from harness.training.normalization import Normalize

STAGES = (16, 32, 64)  # channels
BLOCKS = 3  # a stage


class ResidualBlock(nn.Module):
    """Two convolutions; what they are given is added before the last activation."""

    def __init__(self, channels: int, features: int, normalize: Normalize, *, bias: bool) -> None:
        super().__init__()
        self.stride = features // channels
        self.added = features - channels
        self.first = nn.Conv2d(channels, features, 3, stride=self.stride, padding=1, bias=bias)
        self.first_norm = normalize(features, "relu")
        self.second = nn.Conv2d(features, features, 3, padding=1, bias=bias)
        self.second_norm = normalize(features, "relu")

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        shortcut = input
        if self.added:
            before = self.added // 2
            shortcut = pad(
                input[:, :, :: self.stride, :: self.stride],
                (0, 0, 0, 0, before, self.added - before),
            )
        output: torch.Tensor = self.second_norm(
            self.second(self.first_norm(self.first(input))), shortcut
        )
        return output


def build(
    shape: tuple[int, int, int], classes: int, normalize: Normalize, *, bias: bool
) -> nn.Module:
    """20 layers with weights, for images of ``shape`` of any height and width."""
    channels = STAGES[0]
    layers: list[nn.Module] = [
        nn.Conv2d(shape[0], channels, 3, padding=1, bias=bias),
        normalize(channels, "relu"),
    ]
    for features in STAGES:
        for _ in range(BLOCKS):
            layers.append(ResidualBlock(channels, features, normalize, bias=bias))
            channels = features
    return nn.Sequential(
        *layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes)
    )
