"""A layer under what records calls or changes what a tensor is: traces, dispatch modes, subclasses,
hooks, views, transforms.
"""

from __future__ import annotations

import contextlib
from typing import ClassVar

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.autograd import forward_ad
from torch.autograd.graph import saved_tensors_hooks
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils._python_dispatch import TorchDispatchMode

from implementations import BatchNorm, batch_norm

SHAPE = (4, 7, 5, 5)


def drawn(seed=0, shape=SHAPE):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def layer(activation=None, features=7):
    return BatchNorm(features, implementation="fused_cpu", activation=activation)


def gradient(module, x, *more):
    x = x.detach().clone(memory_format=torch.preserve_format).requires_grad_()
    return torch.autograd.grad(module(x, *more), x, drawn(1))[0]


# Tracing is deprecated, and warns that conditions are not traced.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("gradients", [True, False])
def test_a_trace_holds_the_layer_and_not_just_the_memory_of_its_output(gradients):
    module = layer("relu").eval()
    with torch.set_grad_enabled(gradients):
        traced = torch.jit.trace(module, drawn())
        graph = make_fx(module)(drawn())
        for recorded in (traced, graph):
            torch.testing.assert_close(recorded(drawn(1)), module(drawn(1)))


@pytest.mark.parametrize("gradients", [True, False])
def test_a_tensor_without_memory_gets_an_output_without_memory(gradients):
    with FakeTensorMode(), torch.set_grad_enabled(gradients):
        output = batch_norm(
            torch.empty(SHAPE), None, None, training=True, implementation="fused_cpu"
        )
    assert output.shape == SHAPE


class Wrapped(torch.Tensor):
    """A tensor without memory of its own, around another one."""

    seen: ClassVar[list[str]] = []

    @classmethod
    def __torch_dispatch__(cls, function, types, arguments=(), keywords=None):
        cls.seen.append(str(function))
        given = torch.utils._pytree.tree_map_only(
            Wrapped, lambda wrapped: wrapped.inner, (arguments, keywords or {})
        )
        return function(*given[0], **given[1])


def wrapped(inner):
    made = torch.Tensor._make_wrapper_subclass(Wrapped, inner.shape)
    made.inner = inner
    return made


def operands():
    x, residual = drawn(1), drawn(2)
    of_channels = {
        name: torch.rand(7, generator=torch.Generator().manual_seed(seed)) + 0.5
        for seed, name in enumerate(("running_mean", "running_var", "weight", "bias"))
    }
    return {"input": x, "residual": residual} | of_channels


OPERANDS = tuple(operands())


@pytest.mark.parametrize("operand", OPERANDS)
def test_a_subclass_of_tensors_sees_the_call(operand):
    Wrapped.seen.clear()
    given = operands()
    with torch.no_grad():
        expected = batch_norm(**given, implementation="fused_cpu")
        given[operand] = wrapped(given[operand])
        torch.testing.assert_close(batch_norm(**given, implementation="fused_cpu"), expected)
    assert any("fused_cpu" in name for name in Wrapped.seen)


@pytest.mark.parametrize("activation", [None, "relu"])
@pytest.mark.parametrize("with_residual", [False, True])
def test_a_gradient_that_is_a_subclass_of_tensors_is_read_as_its_values(activation, with_residual):
    given = {name: operand.requires_grad_() for name, operand in operands().items()}
    of_autograd = [
        given[name] for name in ("input", "weight", "bias", *(["residual"] * with_residual))
    ]
    given |= {"running_mean": None, "running_var": None, "training": True}
    given |= {} if with_residual else {"residual": None}
    output = batch_norm(**given, activation=activation, implementation="fused_cpu")
    found, expected = (
        torch.autograd.grad(output, of_autograd, gradient, retain_graph=True)
        for gradient in (wrapped(drawn(3)), drawn(3))
    )
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one.inner if isinstance(one, Wrapped) else one, other)


def test_a_zero_gradient_without_memory_is_read_as_zeros():
    x = drawn().requires_grad_()
    (found,) = torch.autograd.grad(layer()(x), x, torch._efficientzerotensor(SHAPE))
    assert not found.any()


@pytest.mark.parametrize("operand", ["running_mean", "running_var", "weight", "bias"])
def test_a_parameter_without_memory_is_not_taken_for_an_absent_one(operand):
    given = operands() | {operand: torch._efficientzerotensor(7)}
    with pytest.raises(RuntimeError, match=r"without memory.*give it tensor\.clone\(\)"):
        batch_norm(**given, implementation="fused_cpu")


@pytest.mark.parametrize("operand", OPERANDS)
def test_a_negated_view_is_read_and_updated_as_its_values(operand):
    plain, negated = operands(), operands()
    negated[operand] = torch._neg_view(-negated[operand])
    outputs = [
        batch_norm(**given, training=True, implementation="fused_cpu") for given in (plain, negated)
    ]
    torch.testing.assert_close(outputs[0], outputs[1])
    torch.testing.assert_close(plain, negated)


@pytest.mark.parametrize(
    ("pack", "unpack", "tolerance"),
    [
        (torch.Tensor.half, torch.Tensor.float, 1e-2),
        (torch.Tensor.bfloat16, lambda kept: kept, 1e-1),
        (lambda kept: kept.mT.contiguous(), lambda kept: kept.mT, 1e-6),
        (torch.Tensor.contiguous, lambda kept: kept, 1e-6),
    ],
)
@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_hooks_may_bring_back_what_was_saved_in_another_dtype_or_layout(
    pack, unpack, tolerance, residual, memory_format
):
    module, x = layer("relu" if residual else None), drawn().contiguous(memory_format=memory_format)
    more = (drawn(2),) if residual else ()
    expected = gradient(module, x, *more)
    of_matrices = (
        (lambda kept: pack(kept) if kept.dim() > 1 else kept),
        (lambda kept: unpack(kept) if kept.dim() > 1 else kept),
    )
    with saved_tensors_hooks(*of_matrices):
        torch.testing.assert_close(
            gradient(module, x, *more), expected, atol=tolerance, rtol=tolerance
        )


def test_a_bias_that_the_backward_does_not_read_may_be_changed_before_it():
    module = layer()
    output = module(drawn())
    with torch.no_grad():
        module.bias.add_(1)
    output.sum().backward()
    assert module.bias.grad.tolist() == [100.0] * 7


def test_a_bias_from_which_the_backward_recomputes_the_mask_may_not():
    module = layer("relu")
    output = module(drawn())
    with torch.no_grad():
        module.bias.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        output.sum().backward()


def test_inference_writes_no_running_statistics_whatever_their_strides():
    mean, variance = torch.zeros(1).expand(7), torch.ones(1).expand(7)
    expected = torch.nn.functional.batch_norm(drawn(), mean, variance)
    torch.testing.assert_close(
        batch_norm(drawn(), mean, variance, implementation="fused_cpu"), expected
    )


class Watching(TorchDispatchMode):
    def __torch_dispatch__(self, function, types, arguments=(), keywords=None):
        return function(*arguments, **(keywords or {}))


@pytest.mark.parametrize("mode", [contextlib.nullcontext, Watching])
@pytest.mark.parametrize("gradients", [True, False])
def test_forward_mode_is_refused_so_that_no_tangent_is_lost(gradients, mode):
    with torch.set_grad_enabled(gradients), forward_ad.dual_level():
        dual = forward_ad.make_dual(drawn(), drawn(1))
        with pytest.raises(NotImplementedError), mode():
            layer().eval()(dual)


def test_a_default_device_is_not_where_the_kernels_write():
    module, x, above = layer("relu"), drawn().requires_grad_(), drawn(1)
    more = drawn(2)  # with a residual ReLU's mask is stored
    expected = torch.autograd.grad(module(x, more), x, above)
    with torch.device("meta"):
        found = torch.autograd.grad(module(x, more), x, above)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(
    "transform",
    [
        lambda module: torch.vmap(module)(drawn()[None]),
        lambda module: torch.func.grad(lambda x: module(x).sum())(drawn()),
    ],
)
@pytest.mark.parametrize("name", ["fused_cpu", "numpy"])
def test_a_transform_of_torch_func_is_refused_with_what_to_use_instead(transform, name):
    with pytest.raises(
        NotImplementedError,
        match=rf"{name} has no rule for torch\.func.*implementation='torch_unfused'",
    ):
        transform(BatchNorm(7, implementation=name).eval())
