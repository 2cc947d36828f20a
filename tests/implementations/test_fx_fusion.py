"""A batch norm computes the ReLU and the addition that follow it where that changes no result."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import fx, nn

from implementations import convert


class Following(nn.Module):
    """One batch norm, and ``after(bn, x, r)``, which calls it."""

    def __init__(self, after):
        super().__init__()
        self.bn, self.after, self.relu = nn.BatchNorm2d(3), after, nn.ReLU(inplace=True)

    def forward(self, x, r):
        return self.after(self, x * 1, r * 1)


def tensors(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(4, 3, 5, 5, generator=generator) for _ in range(2)]


def activation(fused, name="bn"):
    return fused.get_submodule(name).activation


def plus(model, x, r):
    return torch.relu(model.bn(x) + r)


def reversed_plus(model, x, r):
    return model.relu(r + model.bn(x))


def added(model, x, r):
    return nn.functional.relu(torch.add(model.bn(x), r), inplace=True)


def in_place(model, x, r):
    y = model.bn(x)
    y += r
    return y.relu_()


def by_method(model, x, r):
    return model.bn(x).add_(r).relu()


DRAWN_IN = (plus, reversed_plus, added, in_place, by_method)


def input_changed(model, x, r):
    y = model.bn(x)
    x.add_(1)
    return torch.relu(y + r) + x


def residual_changed(model, x, r):
    y = model.bn(x)
    r.mul_(2)
    return torch.relu(y + r)


def input_changed_by_a_module(model, x, r):
    y = model.bn(x)
    return torch.relu(y + model.relu(x))


def input_changed_by_an_argument(model, x, r):
    y = model.bn(x)
    return torch.relu(y + nn.functional.relu(x, inplace=True))


def input_changed_by_out(model, x, r):
    y = model.bn(x)
    return torch.relu(y + torch.mul(r, 2, out=x))


def input_changed_by_an_operator(model, x, r):
    y = model.bn(x)
    x -= r
    return torch.relu(y + r) + x


def added_to_the_residual(model, x, r):
    z = r
    z += model.bn(x)
    return torch.relu(z) + r


def methodically_added_to_the_residual(model, x, r):
    return torch.relu(r.add_(model.bn(x))) + r


def written_elsewhere(model, x, r):
    return torch.relu(torch.add(model.bn(x), r, out=x)) + x


def added_with_a_factor(model, x, r):
    return torch.relu(torch.add(model.bn(x), r, alpha=2))


def called_twice(model, x, r):
    return torch.relu(model.bn(x)) + model.bn(r)


def statistics_read(model, x, r):
    y = model.bn(x)
    return torch.relu(y + model.bn.running_mean.mul(2).view(3, 1, 1))


def seen_elsewhere(model, x, r):
    y = model.bn(x)
    return torch.relu(y) + y


@fx.wrap
def anybody_s(x):
    return x.zero_()


def handed_to_anybody_s_code(model, x, r):
    y = model.bn(x)
    return torch.relu(y + anybody_s(x))


LEFT = (
    input_changed,
    residual_changed,
    input_changed_by_a_module,
    input_changed_by_an_argument,
    input_changed_by_out,
    input_changed_by_an_operator,
    added_to_the_residual,
    methodically_added_to_the_residual,
    written_elsewhere,
    added_with_a_factor,
    called_twice,
    statistics_read,
    seen_elsewhere,
    handed_to_anybody_s_code,
)


@pytest.mark.parametrize("after", DRAWN_IN + LEFT)
def test_what_is_drawn_in_and_what_is_left_compute_the_same(after):
    model, operands = Following(after), tensors()
    fused = convert(copy.deepcopy(model), "torch_native", fuse=True)
    assert activation(fused) == ("relu" if after in DRAWN_IN else None)
    with torch.no_grad():
        torch.testing.assert_close(fused(*operands), model(*operands))


def test_a_relu_alone_is_drawn_in_whatever_happens_to_the_input_before_it():
    def after(model, x, r):
        y = model.bn(x)
        x.add_(1)
        return torch.relu(y) + x

    fused, operands = convert(Following(after), "torch_native", fuse=True), tensors()
    assert activation(fused) == "relu"
    torch.testing.assert_close(fused(*operands), Following(after)(*operands))


@pytest.mark.parametrize("after", DRAWN_IN)
@pytest.mark.parametrize(
    "residual",
    [
        torch.randn(3, 1, 1),
        torch.randn(4, 3, 5, 1),
        torch.tensor(2.0),
        torch.randn(4, 3, 5, 5).double(),
        torch.randn(4, 3, 5, 5).half(),
        torch.arange(300).view(4, 3, 5, 5),
        torch.randn(4, 3, 1, 1).double(),
        1.5,
    ],
    ids=lambda residual: (
        f"{getattr(residual, 'dtype', '')} {tuple(getattr(residual, 'shape', ()))}"
    ),
)
def test_a_residual_of_another_shape_or_dtype_is_added_as_before(after, residual):
    model, (x, _) = Following(after), tensors()
    fused = convert(copy.deepcopy(model), "torch_native", fuse=True)
    assert activation(fused) == "relu"
    torch.testing.assert_close(fused(x, residual), model(x, residual))


def test_a_residual_that_autocast_leaves_in_float32_is_added_as_before():
    class Skipped(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.bn = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)

        def forward(self, x):
            return torch.relu(self.bn(self.conv(x)) + x)

    model, (x, _) = Skipped(), tensors()
    fused = convert(copy.deepcopy(model), "torch_native", fuse=True)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(fused(x), model(x))
