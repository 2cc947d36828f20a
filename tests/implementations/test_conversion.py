"""A converted model computes what it did before, on the very same weights."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import fx, nn
from torch.nn.utils import parametrize, prune

from implementations import BatchNorm, convert
from tests.helpers.stepping import stepped


class Block(nn.Module):
    def __init__(self, add):
        super().__init__()
        self.first, self.second, self.short = (
            nn.Conv2d(6, 6, 3, padding=1, bias=False) for _ in range(3)
        )
        self.bn1, self.bn2, self.bn3 = (
            nn.BatchNorm2d(6),
            nn.BatchNorm2d(6),
            nn.BatchNorm2d(6, affine=False),
        )
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
    return nn.Sequential(
        Block(request.param), nn.Flatten(), nn.Linear(6 * 8 * 8, 5), nn.BatchNorm1d(5)
    )


def step(model, training):
    model.train(training)
    x = torch.randn(4, 6, 8, 8, generator=torch.Generator().manual_seed(1), requires_grad=True)
    return stepped(model, x)


@pytest.mark.parametrize("name", ["fused_cpu", "torch_native"])
@pytest.mark.parametrize("fuse", [False, True])
@pytest.mark.parametrize("training", [True, False])
def test_a_converted_model_computes_the_same(model, name, fuse, training):
    converted = convert(copy.deepcopy(model), name, fuse=fuse)
    torch.testing.assert_close(
        step(converted, training), step(model, training), rtol=1e-4, atol=1e-5
    )


def test_every_batch_norm_is_replaced_and_keeps_its_parameters(model):
    before = dict(model.named_parameters())
    converted = convert(model, "torch_native")
    kinds = [
        type(module)
        for module in converted.modules()
        if isinstance(module, nn.modules.batchnorm._BatchNorm)
    ]
    assert kinds == [BatchNorm] * 4
    assert all(
        dict(converted.named_parameters())[name] is parameter for name, parameter in before.items()
    )
    assert converted.state_dict().keys() == model.state_dict().keys()


def test_fusing_draws_in_each_relu_and_the_residual_of_a_block(model):
    fused = convert(model, "torch_native", fuse=True)
    activations = {
        name: module.activation
        for name, module in fused.named_modules()
        if isinstance(module, BatchNorm)
    }
    assert sorted(map(str, activations.values())) == ["None", "None", "relu", "relu"]
    assert isinstance(fused, fx.GraphModule)
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


def test_a_batch_norm_under_two_names_is_replaced_at_both_and_stays_one():
    model = nn.Module()
    model.one = model.other = nn.BatchNorm2d(3)
    model.inner = nn.Sequential(model.one)
    convert(model, "torch_native")
    one = model.get_submodule("one")
    assert type(one) is BatchNorm
    assert one is model.get_submodule("other") is model.get_submodule("inner.0")


class Own(nn.BatchNorm2d):
    def forward(self, input):
        return super().forward(input) + 1


def parametrized():
    bn = nn.BatchNorm2d(3)
    parametrize.register_parametrization(bn, "weight", nn.Softplus())
    return bn


def pruned():
    return prune.l1_unstructured(nn.BatchNorm2d(3), "weight", 1)


def with_a_forward_of_its_own():
    bn = nn.BatchNorm2d(3)
    bn.forward = nn.Identity().forward
    return bn


def with_an_activation():
    bn = nn.BatchNorm2d(3)
    bn.activation = nn.Tanh()
    return bn


def hooked_on_loading():
    bn = nn.BatchNorm2d(3)
    bn.register_load_state_dict_pre_hook(lambda *arguments: None)
    return bn


@pytest.mark.parametrize("fuse", [False, True])
@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: nn.SyncBatchNorm(3), r"\(SyncBatchNorm\): its statistics"),
        (lambda: Own(3), r"\(Own\): it is of a class"),
        (nn.LazyBatchNorm2d, "it has no parameters yet"),
        (parametrized, "ParametrizedBatchNorm2d"),
        (pruned, "its weight is computed"),
        (with_a_forward_of_its_own, "an attribute forward"),
        (with_an_activation, "an attribute activation"),
        (hooked_on_loading, "a hook on loading"),
    ],
)
def test_what_cannot_be_replaced_is_left_and_told_with_its_reason(make, reason, fuse):
    left = make()
    model = nn.Sequential(nn.Conv2d(3, 3, 1), left, nn.BatchNorm2d(3), nn.ReLU())
    with pytest.warns(
        UserWarning, match=f"^convert leaves batch norms as they are: 1 .*{reason}"
    ) as warned:
        converted = convert(model, "torch_native", fuse=fuse)
    assert [warning.filename for warning in warned] == [__file__]
    assert converted.get_submodule("1") is left
    assert type(converted.get_submodule("2")) is BatchNorm


def test_one_warning_names_all_that_is_left():
    with pytest.warns(UserWarning, match=r"a \(SyncBatchNorm\).*; b \(Own\)") as warned:
        convert(
            nn.ModuleDict({"a": nn.SyncBatchNorm(3), "b": Own(3), "c": nn.BatchNorm2d(3)}),
            "torch_native",
        )
    assert len(warned) == 1


def test_a_model_that_is_left_is_called_the_model():
    model = nn.SyncBatchNorm(3)
    with pytest.warns(UserWarning, match=r"the model \(SyncBatchNorm\)"):
        assert convert(model, "torch_native", fuse=True) is model


def test_a_lazy_batch_norm_that_has_its_parameters_is_replaced():
    model = nn.Sequential(nn.LazyBatchNorm2d())
    model(torch.randn(2, 3, 4, 4))
    assert type(convert(model, "torch_native").get_submodule("0")) is BatchNorm


@pytest.mark.parametrize("fuse", [False, True])
def test_hooks_go_along_and_their_handles_still_remove_them(fuse):
    model = nn.Sequential(nn.BatchNorm2d(3), nn.ReLU())
    seen: list[Any] = []
    handles = [
        model[0].register_forward_pre_hook(lambda module, arguments: seen.append("before")),
        model[0].register_forward_hook(
            lambda module, arguments, output: seen.append(output.detach())
        ),
        model[0].register_full_backward_hook(
            lambda module, inputs, outputs: seen.append("backward")
        ),
    ]
    converted = convert(model, "torch_native", fuse=fuse)
    converted(torch.randn(4, 3, 2, 2, requires_grad=True)).sum().backward()
    assert (seen[0], seen[2]) == ("before", "backward")
    assert seen[1].min() < 0, "the hook sees the output of the batch norm, not that of the ReLU"
    for handle in handles:
        handle.remove()
    converted(torch.randn(4, 3, 2, 2))
    assert len(seen) == 3


@pytest.mark.parametrize("fuse", [False, True])
def test_whatever_was_set_on_a_batch_norm_goes_along(fuse):
    model = nn.Sequential(nn.BatchNorm2d(3))
    old: Any = model[0]
    old.tag, old.extra = "mine", nn.Parameter(torch.ones(2))
    old.register_buffer("hidden", torch.zeros(2), persistent=False)
    old.weight.requires_grad_(False)
    new = convert(model, "torch_native", fuse=fuse).get_submodule("0")
    assert type(new) is BatchNorm
    assert (new.tag, new.extra, new.hidden, new.weight) == (
        "mine",
        old.extra,
        old.hidden,
        old.weight,
    )
    assert not new.weight.requires_grad
    assert "hidden" not in new.state_dict()


def test_a_converted_model_is_converted_again():
    model = nn.Sequential(
        BatchNorm(3, implementation="numpy", activation="relu"), nn.BatchNorm2d(3)
    )
    model[0].eval()
    convert(convert(model, "numpy"), "torch_native")
    assert [module.implementation for module in model] == ["torch_native"] * 2
    assert "implementation=torch_native" in repr(model[0])
    assert [(module.activation, module.training) for module in model] == [
        ("relu", False),
        (None, True),
    ]
    assert model(torch.randn(4, 3, 2, 2)).shape == (4, 3, 2, 2)


@pytest.mark.parametrize("given", [[nn.BatchNorm2d(3)], nn.BatchNorm2d, None])
def test_what_is_no_module_is_refused_with_what_is_allowed(given):
    with pytest.raises(
        TypeError, match=r"of type (list|type|NoneType); allowed: a torch.nn.Module"
    ):
        convert(given, "torch_native")
