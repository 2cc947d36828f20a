"""A multilayer perceptron: hidden layers of equal width, each normalized before its activation."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from torch import nn

from harness.config.choices import TrainingActivation
from harness.training.normalization import normalized

if TYPE_CHECKING:
    from harness.training.normalization import Normalize


def build(
    shape: tuple[int, int, int],
    classes: int,
    normalize: Normalize,
    *,
    bias: bool,
    depth: int,
    width: int,
    activation: TrainingActivation,
) -> nn.Module:
    """``depth`` hidden layers of ``width`` features, for images of ``shape``, which are
    flattened.
    """
    layers: list[nn.Module] = [nn.Flatten()]
    size = prod(shape)
    for _ in range(depth):
        layers += [nn.Linear(size, width, bias=bias), *normalized(normalize, width, activation)]
        size = width
    return nn.Sequential(*layers, nn.Linear(size, classes))
