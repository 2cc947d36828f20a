"""Small networks whose normalization is a choice and whose initial weights are not.

A builder is given ``normalize``, which makes the layer that normalizes so many features and then applies an
activation, or None for a network without normalization. A layer before a normalization has no bias, which would be
redundant. `initialize` draws the weights in the order of the layers, outside of their constructors: one seed gives
the same weights whatever stands between them.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod, sqrt
from typing import TYPE_CHECKING

from harness.training.reproducible import Stream, generator
from harness.training.tables import choose

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import nn

Normalize = Callable[[int, str | None], "nn.Module"]
Shape = tuple[int, int, int]
Builder = Callable[[Shape, int, Normalize | None], "nn.Sequential"]

WITHOUT = "none"  # in place of an implementation: no normalization at all
HIDDEN = (100, 100, 100)  # Ioffe & Szegedy 2015, section 4.1
CHANNELS = (16, 32, 32)


def mlp(shape: Shape, classes: int, normalize: Normalize | None) -> nn.Sequential:
    """Three hidden layers of 100 sigmoids: the network of the BN paper's section 4.1, for images of ``shape``."""
    from torch import nn

    layers: list[nn.Module] = [nn.Flatten()]
    size = prod(shape)
    for features in HIDDEN:
        layers.append(nn.Linear(size, features, bias=normalize is None))
        layers += [nn.Sigmoid()] if normalize is None else [normalize(features, None), nn.Sigmoid()]
        size = features
    return nn.Sequential(*layers, nn.Linear(size, classes))


def cnn(shape: Shape, classes: int, normalize: Normalize | None) -> nn.Sequential:
    """Three 3×3 convolutions with ReLU, pooling by 2 between them, and a linear layer."""
    from torch import nn

    layers: list[nn.Module] = []
    channels, height, width = shape
    for features in CHANNELS:
        if layers:
            layers.append(nn.MaxPool2d(2))
            height, width = height // 2, width // 2
        convolution = nn.Conv2d(channels, features, 3, padding=1, bias=normalize is None)
        layers += [convolution, nn.ReLU() if normalize is None else normalize(features, "relu")]
        channels = features
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * height * width, classes))


MODELS: Mapping[str, Builder] = {"mlp": mlp, "cnn": cnn}


def build(name: str, shape: Shape, classes: int, normalize: Normalize | None) -> nn.Sequential:
    """The network of that name for images of ``shape``, not initialized. Raises ValueError for an unknown name."""
    return choose("model", name, MODELS)(shape, classes, normalize)


def initialize(model: nn.Module, seed: int) -> None:
    """Draw the weights of linear and convolutional layers with variance 2 / fan-in, and set their biases to zero.

    Source: He et al. 2015, section 2.2. Uniform rather than normal, because a uniform number needs no function that
    two mathematical libraries may round differently.
    """
    import torch

    drawn = generator(Stream.WEIGHTS, seed)
    with torch.no_grad():
        for layer in weighted_layers(model):
            bound = sqrt(6 / layer.weight[0].numel())
            layer.weight.copy_(torch.from_numpy(drawn.uniform(-bound, bound, layer.weight.shape)))
            if layer.bias is not None:
                layer.bias.zero_()


def weighted_layers(model: nn.Module) -> Iterator[nn.Linear | nn.Conv2d]:
    """The layers whose weights `initialize` draws, in order."""
    from torch import nn

    return (layer for layer in model.modules() if isinstance(layer, nn.Linear | nn.Conv2d))
