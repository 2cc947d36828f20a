"""The blocks that networks are made of compute the same, converted, in training and in
inference.
"""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from implementations import BatchNorm, convert
from tests.helpers.stepping import stepped


def convolution(inputs, outputs, size, groups=1):
    return nn.Conv2d(inputs, outputs, size, padding=size // 2, groups=groups, bias=False)


class Basic(nn.Module):
    """He et al. 2015, as torchvision writes it: one ReLU module, in place, and ``+=``."""

    drawn_in = 2

    def __init__(self, channels):
        super().__init__()
        self.conv1, self.conv2 = (
            convolution(channels, channels, 3),
            convolution(channels, channels, 3),
        )
        self.bn1, self.bn2, self.relu = (
            nn.BatchNorm2d(channels),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
        )

    def forward(self, x):
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += x
        return self.relu(out)


class Bypassed(Basic):
    """A block whose bypass has a batch norm and a ReLU of its own."""

    drawn_in = 3

    def __init__(self, channels):
        super().__init__(channels)
        self.bypass = nn.Sequential(
            convolution(channels, channels, 1), nn.BatchNorm2d(channels), nn.ReLU(inplace=True)
        )

    def forward(self, x):
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu(out + self.bypass(x))


class Inverted(nn.Module):
    """Sandler et al. 2018 with ReLU for ReLU6: the last batch norm has no activation."""

    drawn_in = 2

    def __init__(self, channels):
        super().__init__()
        wide = 2 * channels
        self.layers = nn.Sequential(
            convolution(channels, wide, 1),
            nn.BatchNorm2d(wide),
            nn.ReLU(inplace=True),
            convolution(wide, wide, 3, groups=wide),
            nn.BatchNorm2d(wide),
            nn.ReLU(inplace=True),
            convolution(wide, channels, 1),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x):
        return x + self.layers(x)


class PreActivated(nn.Module):
    """He et al. 2016: normalized and rectified before each convolution, added after the last."""

    drawn_in = 2

    def __init__(self, channels):
        super().__init__()
        self.bn1, self.bn2 = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)
        self.conv1, self.conv2 = (
            convolution(channels, channels, 3),
            convolution(channels, channels, 3),
        )

    def forward(self, x):
        y = self.conv1(torch.relu(self.bn1(x)))
        return self.conv2(torch.relu(self.bn2(y))) + x


def step(model, training):
    """Output, gradients and buffers after a step, its first batch norm frozen."""
    model.train(training)
    next(
        module for module in model.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)
    ).eval()
    x = torch.randn(
        4,
        6,
        5,
        5,
        generator=torch.Generator().manual_seed(1),
        dtype=torch.float64,
        requires_grad=True,
    )
    return stepped(model, x)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("fuse", [False, True])
@pytest.mark.parametrize("name", ["torch_unfused", "torch_native"])
@pytest.mark.parametrize("kind", [Basic, Bypassed, Inverted, PreActivated])
def test_a_converted_block_computes_the_same(kind, name, fuse, training):
    torch.manual_seed(0)
    model = nn.Sequential(kind(6), kind(6)).double()
    converted = convert(copy.deepcopy(model), name, fuse=fuse)
    torch.testing.assert_close(step(converted, training), step(model, training))
    activations = [
        module.activation for module in converted.modules() if isinstance(module, BatchNorm)
    ]
    assert activations.count("relu") == (2 * kind.drawn_in if fuse else 0)
