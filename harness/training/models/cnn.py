"""A convolutional network after LeNet's plan: convolutions, pooling between them, and a linear
layer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from harness.config.choices import TrainingActivation
from harness.training.normalization import normalized

if TYPE_CHECKING:
    from harness.training.normalization import Normalize

CHANNELS = (16, 32, 32)


def build(
    shape: tuple[int, int, int],
    classes: int,
    normalize: Normalize,
    *,
    bias: bool,
    activation: TrainingActivation,
) -> nn.Module:
    """Three 3×3 convolutions, and between them pooling by 2, which keeps the odd row at a
    border.
    """
    layers: list[nn.Module] = []
    channels, height, width = shape
    for features in CHANNELS:
        if layers:
            layers.append(nn.MaxPool2d(2, ceil_mode=True))
            height, width = (height + 1) // 2, (width + 1) // 2
        layers += [
            nn.Conv2d(channels, features, 3, padding=1, bias=bias),
            *normalized(normalize, features, activation),
        ]
        channels = features
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * height * width, classes))
