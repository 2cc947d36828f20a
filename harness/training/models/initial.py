"""Initial weights, drawn outside of the layers' constructors: one seed gives the same whatever
stands between the layers.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from harness.training.seeding import RandomStream, generator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import nn


def initialize(model: nn.Module, seed: int, scale: float = 1.0) -> None:
    """Draw the weights of linear and convolutional layers with variance ``scale``² · 2 / fan-in;
    biases are zero.

    Source: He et al. 2015, section 2.2. Uniform rather than normal, because a uniform number needs
    no function that two mathematical libraries may round differently.
    """
    import torch

    drawn = generator(RandomStream.WEIGHTS, seed)
    with torch.no_grad():
        for layer in weighted_layers(model):
            bound = scale * sqrt(6 / layer.weight[0].numel())
            layer.weight.copy_(torch.from_numpy(drawn.uniform(-bound, bound, layer.weight.shape)))
            if layer.bias is not None:
                layer.bias.zero_()


def weighted_layers(model: nn.Module) -> Iterator[nn.Linear | nn.Conv2d]:
    """The layers whose weights `initialize` draws, in order."""
    from torch import nn

    return (layer for layer in model.modules() if isinstance(layer, nn.Linear | nn.Conv2d))
