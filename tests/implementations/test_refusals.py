"""What an implementation cannot do is refused before anything is wrong."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import nn
from torch.fx.experimental.proxy_tensor import make_fx

from implementations import BatchNorm, Unsupported, batch_norm, names
from implementations.adapters import from_functions
from implementations.builtin import torch_unfused

OPERANDS = ("running_mean", "running_var", "weight", "bias", "residual")
UNCOMPILED = ("fused_cpu", "numpy", "torch_native", "torch_unfused")
SLOW = [pytest.param("torch_compile", marks=pytest.mark.slow)]
remedy = r"convert\(model, 'torch_native'\)"


def drawn(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, dtype=torch.float64, generator=generator)


def penalized(first, second):
    """The gradients of a loss with a penalty on the gradient of ``first``."""
    x, w = drawn(6, 4, 3).requires_grad_(), drawn(6, 4, 3, seed=1)
    [slope] = torch.autograd.grad((first(x) * w).sum(), x, create_graph=True)
    return torch.autograd.grad(second(x).mean() + slope.pow(2).sum(), [x, first.weight])


def test_the_tables_below_name_every_implementation_of_this_package():
    assert {*UNCOMPILED, "torch_compile"} <= set(names())


@pytest.mark.parametrize("activation", [None, "relu"])
@pytest.mark.parametrize("name", [*UNCOMPILED, *SLOW])
def test_a_gradient_penalty_is_pytorchs_or_refused_when_its_graph_is_asked_for(name, activation):
    made = [
        BatchNorm(4, implementation=name, activation=activation, dtype=torch.float64)
        for _ in range(2)
    ]
    epilogue = [nn.ReLU()] if activation else []
    plain = [nn.BatchNorm1d(4, dtype=torch.float64) for _ in range(2)]
    theirs = [nn.Sequential(each, *epilogue) for each in plain]
    for module, own in zip(theirs, plain, strict=True):
        module.weight = own.weight
    if name in ("torch_native", "torch_unfused"):
        torch.testing.assert_close(penalized(*made), penalized(*theirs))
        return
    message = "double backward" if name == "torch_compile" else f"^{name} has no second derivatives"
    with pytest.raises(RuntimeError, match=message):
        penalized(*made)


def test_asking_alone_for_a_graph_of_a_pair_s_gradient_is_an_error_that_names_it():
    pair = from_functions(torch_unfused.forward, torch_unfused.backward, name="mine")()
    x = drawn(4, 3).requires_grad_()
    output = batch_norm(x, None, None, training=True, implementation=pair)
    with pytest.raises(RuntimeError, match=r"^mine has no second derivatives"):
        torch.autograd.grad(output.sum(), x, create_graph=True)


@pytest.mark.parametrize("name", UNCOMPILED)
def test_every_operand_has_to_be_on_the_device_of_the_input(name):
    def given(there):
        operands = {each: torch.rand(3) for each in OPERANDS} | {"residual": torch.rand(4, 3, 2)}
        return operands | {there: operands[there].to("meta")}

    for operand, training in itertools.product(OPERANDS, (True, False)):
        with pytest.raises(RuntimeError, match=r"meta.* cpu"):
            batch_norm(
                torch.rand(4, 3, 2), **given(operand), training=training, implementation=name
            )
    x = torch.rand(4, 3, 2, requires_grad=True)
    output = batch_norm(x, None, None, training=True, implementation=name)
    with pytest.raises(RuntimeError, match="expected device cpu but got meta"):
        output.backward(torch.empty(4, 3, 2, device="meta"))


def test_a_device_is_looked_at_where_pytorch_does_not(monkeypatch):
    monkeypatch.setattr(torch.nn.functional, "batch_norm", lambda x, *given: x)
    with pytest.raises(RuntimeError, match=r"^bias is on meta, the input on cpu"):
        batch_norm(
            torch.rand(4, 3),
            None,
            None,
            bias=torch.rand(3, device="meta"),
            training=True,
            implementation="torch_native",
        )


@pytest.mark.filterwarnings("ignore")  # `torch.jit.trace` is deprecated
@pytest.mark.parametrize("name", ["fused_cpu", "numpy"])
def test_onnx_export_says_what_to_export_instead(name, tmp_path):
    model = nn.Sequential(nn.Conv2d(3, 3, 1), BatchNorm(3, implementation=name)).eval()
    with pytest.raises(Unsupported, match=f"^{name} has no operators in ONNX.*{remedy}"):
        torch.onnx.export(model, (torch.rand(2, 3, 4, 4),), tmp_path / "m.onnx", dynamo=False)


def test_other_exporters_of_onnx_meet_the_same_refusal_in_the_operator(monkeypatch):
    monkeypatch.setattr(torch.onnx, "is_in_onnx_export", lambda: True)
    module = BatchNorm(3, implementation="fused_cpu").eval()
    with pytest.raises(Unsupported, match=remedy):
        torch.export.export(module, (torch.rand(2, 3, 4, 4),))


@pytest.mark.parametrize("record", [make_fx, lambda m: lambda x: torch.export.export(m, (x,))])
def test_what_another_library_computes_is_not_recorded_as_a_constant(record):
    with pytest.raises(Unsupported, match=f"^numpy computes outside of PyTorch.*{remedy}"):
        record(BatchNorm(3, implementation="numpy").eval())(torch.rand(2, 3, 4, 4))
