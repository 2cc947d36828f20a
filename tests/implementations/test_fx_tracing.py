"""A model that is traced for fusing is left as it was, and what comes of it keeps modes, hooks,
parameters and numbers.
"""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from torch import fx, nn

from implementations import convert


def test_changes_in_place_are_traced_as_such_and_numbers_stay_numbers():
    class Counting(nn.Module):
        def forward(self, x):
            size = x.size(0)
            more = size
            more += 1
            kept = x
            x *= more
            return kept + size

    torch.testing.assert_close(
        convert(Counting(), "torch_native", fuse=True)(torch.ones(2)), torch.full((2,), 5.0)
    )


def test_what_the_model_does_with_its_buffers_is_done_at_each_call():
    class Counted(nn.Module):
        calls: torch.Tensor

        def __init__(self):
            super().__init__()
            self.register_buffer("calls", torch.zeros(()), persistent=False)

        def forward(self, x):
            self.calls.add_(1)
            return x * self.calls

    model = nn.Sequential(Counted())
    fused = convert(model, "torch_native", fuse=True)
    assert model[0].calls == 0
    assert [fused(torch.ones(())).item() for _ in range(3)] == [1, 2, 3]
    assert fused.state_dict().keys() == model.state_dict().keys()


def test_a_frozen_batch_norm_stays_frozen():
    model = nn.Sequential(
        nn.Sequential(nn.BatchNorm2d(3), nn.ReLU()), nn.Dropout(), nn.BatchNorm2d(3)
    )
    model[0].eval()
    model[1].eval()
    fused = convert(model, "torch_native", fuse=True)
    modes = {name: module.training for name, module in fused.named_modules()}
    assert modes.pop("0.1", False) is False, "the ReLU may be gone"
    assert modes == {"": True, "0": False, "0.0": False, "1": False, "2": True}


def state(model):
    return [
        (name, module, {key: copy.copy(value) for key, value in vars(module).items()})
        for name, module in model.named_modules()
    ]


class Untraceable(nn.Module):
    def __init__(self):
        super().__init__()
        self.bn, self.calls = nn.BatchNorm2d(3), 0

    def forward(self, x):
        self.calls += 1
        y = torch.relu(self.bn(x)) + torch.ones(1)
        return y if y.sum() > 0 else -y


def test_a_model_that_cannot_be_traced_is_left_as_it_was():
    model = nn.Sequential(nn.BatchNorm2d(3), nn.ReLU(), Untraceable())
    before = state(model)
    with pytest.raises(fx.proxy.TraceError):
        convert(model, "torch_native", fuse=True)
    assert state(model) == before


class WithConstant(nn.Module):
    def __init__(self):
        super().__init__()
        self.bn = nn.BatchNorm2d(3)

    def forward(self, x):
        return torch.relu(self.bn(x) + torch.ones(3, 5, 5))


def test_fusing_leaves_the_model_as_it_was_and_shares_its_parameters():
    model = WithConstant()
    before = state(model)
    fused = convert(model, "torch_native", fuse=True)
    assert state(model) == before
    assert type(model.bn) is nn.BatchNorm2d
    for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
        owner, _, attribute = name.rpartition(".")
        assert getattr(fused.get_submodule(owner), attribute) is tensor


def test_a_hooked_module_is_not_traced_into_and_the_batch_norm_inside_is_told():
    model = nn.Sequential(nn.Sequential(nn.BatchNorm2d(3), nn.ReLU()), nn.BatchNorm2d(3))
    seen: list[object] = []
    model[0].register_forward_hook(lambda module, arguments, output: seen.append(type(output)))
    model.register_forward_hook(lambda module, arguments, output: seen.append("the model"))
    with pytest.warns(
        UserWarning,
        match=r"0\.0 \(BatchNorm2d\): it is inside a module that tracing does not enter",
    ):
        fused = convert(model, "torch_native", fuse=True)
    fused(torch.randn(4, 3, 5, 5))
    assert seen == [torch.Tensor, "the model"]
    assert type(model.get_submodule("0.0")) is nn.BatchNorm2d


def test_a_relu_with_a_hook_is_not_drawn_in():
    model, seen = nn.Sequential(nn.BatchNorm2d(3), nn.ReLU()), []
    model[1].register_forward_hook(lambda module, arguments, output: seen.append(output))
    fused = convert(model, "torch_native", fuse=True)
    fused(torch.randn(4, 3, 5, 5))
    assert len(seen) == 1


class Skipped(nn.Module):
    def __init__(self):
        super().__init__()
        self.bn = nn.BatchNorm2d(3)

    def forward(self, x):
        y = self.bn(x)
        y += x
        x *= 2
        return torch.relu(y) + x


@pytest.mark.parametrize("fuse", [False, True])
def test_a_fused_model_is_converted_again(fuse):
    model, x = Skipped(), torch.randn(4, 3, 5, 5)
    again = convert(convert(copy.deepcopy(model), "numpy", fuse=True), "torch_native", fuse=fuse)
    found = again.get_submodule("bn")
    assert (found.implementation, found.activation) == ("torch_native", "relu")
    torch.testing.assert_close(again(x.clone()), model(x.clone()))


def test_a_fused_model_is_copied_and_pickled():
    fused, x = convert(Skipped(), "torch_native", fuse=True), torch.randn(4, 3, 5, 5)
    expected = fused(x.clone())
    for made in (copy.deepcopy(fused), pickle.loads(pickle.dumps(fused))):
        torch.testing.assert_close(made(x.clone()), expected)
