"""A converted model computes what it did before, on the very same weights."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from implementations import BatchNorm, convert


class Block(nn.Module):
    def __init__(self, add):
        super().__init__()
        self.first, self.second, self.short = (nn.Conv2d(6, 6, 3, padding=1, bias=False) for _ in range(3))
        self.bn1, self.bn2, self.bn3 = nn.BatchNorm2d(6), nn.BatchNorm2d(6), nn.BatchNorm2d(6, affine=False)
        self.relu, self.add = nn.ReLU(inplace=True), add

    def forward(self, x):
        y = self.bn2(self.second(self.relu(self.bn1(self.first(x)))))
        return torch.relu(self.add(y, self.bn3(self.short(x))))


def plus(a, b):
    return a + b


def reversed_plus(a, b):
    return b + a


def in_place(a, b):
    a += b
    return a


@pytest.fixture(params=[plus, reversed_plus, in_place, torch.add])
def model(request):
    torch.manual_seed(0)
    return nn.Sequential(Block(request.param), nn.Flatten(), nn.Linear(6 * 8 * 8, 5), nn.BatchNorm1d(5))


def step(model, training):
    model.train(training)
    x = torch.randn(4, 6, 8, 8, generator=torch.Generator().manual_seed(1), requires_grad=True)
    output = model(x)
    output.square().sum().backward()
    gradients = {name: parameter.grad for name, parameter in model.named_parameters()}
    return {"output": output, "x": x.grad, **gradients, **dict(model.named_buffers())}


@pytest.mark.parametrize("name", ["fused_cpu", "torch_native"])
@pytest.mark.parametrize("fuse", [False, True])
@pytest.mark.parametrize("training", [True, False])
def test_a_converted_model_computes_the_same(model, name, fuse, training):
    converted = convert(copy.deepcopy(model), name, fuse=fuse)
    torch.testing.assert_close(step(converted, training), step(model, training), rtol=1e-4, atol=1e-5)


def test_every_batch_norm_is_replaced_and_keeps_its_parameters(model):
    before = dict(model.named_parameters())
    converted = convert(model, "torch_native")
    kinds = [type(module) for module in converted.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    assert kinds == [BatchNorm] * 4
    assert all(dict(converted.named_parameters())[name] is parameter for name, parameter in before.items())
    assert converted.state_dict().keys() == model.state_dict().keys()


def test_fusing_draws_in_each_relu_and_the_residual_of_a_block(model):
    fused = convert(model, "torch_native", fuse=True)
    activations = {name: module.activation for name, module in fused.named_modules() if isinstance(module, BatchNorm)}
    assert sorted(map(str, activations.values())) == ["None", "None", "relu", "relu"]
    assert "relu" not in "".join(str(node.target) for node in fused.graph.nodes)


def test_what_somebody_else_sees_is_not_drawn_in():
    class Seen(nn.Module):
        def __init__(self):
            super().__init__()
            self.bn = nn.BatchNorm2d(3)

        def forward(self, x):
            y = self.bn(x)
            return torch.relu(y), y

    torch.manual_seed(0)
    x = torch.randn(4, 3, 5, 5)
    rectified, plain = convert(Seen(), "torch_native", fuse=True)(x)
    assert plain.min() < 0 <= rectified.min()


def test_a_batch_norm_that_is_the_model_is_replaced():
    assert type(convert(nn.BatchNorm1d(3), "torch_native")) is BatchNorm


def test_synchronized_batch_norm_is_left_as_it_is():
    model = nn.Sequential(nn.SyncBatchNorm(3))
    assert type(convert(model, "torch_native")[0]) is nn.SyncBatchNorm
