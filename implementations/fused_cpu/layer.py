"""The kernels as a differentiable layer: by autograd, and as an opaque operator where PyTorch looks
on.

In eager mode a function of autograd's own is called, which costs less than an operator. Whoever
records calls or gives tensors another meaning (torch.compile, torch.jit.trace, modes and subclasses
that dispatch) sees operators that change none of their arguments: there the running statistics are
updated beside it, from what it returns.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd import forward_ad

from implementations.fused_cpu import kernels
from implementations.fused_cpu.kernels import Saved
from implementations.interface import Options

Tensor = torch.Tensor
Statistic = Tensor | None
PLAIN = (Tensor, torch.nn.Parameter)  # those whose data are where their address says


def layer(
    input: Tensor,
    residual: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Statistic,
    running_var: Statistic,
    options: Options,
) -> Tensor:
    if torch.compiler.is_compiling() or _is_watched(input, residual):
        return _opaque(input, residual, weight, bias, running_mean, running_var, options)
    # Forward mode has tangents without a gradient being enabled; the function refuses them.
    if not torch.is_grad_enabled() and forward_ad._current_level < 0:
        return kernels.infer(input, residual, weight, bias, running_mean, running_var, options)
    output: Tensor = _Layer.apply(input, residual, weight, bias, running_mean, running_var, options)  # type: ignore[no-untyped-call]
    return output


def _is_watched(input: Tensor, residual: Tensor | None) -> bool:
    """Whether a call has to go through PyTorch's dispatcher: kernels that are handed addresses
    cannot be recorded, and not every tensor has one. Raises NotImplementedError for a transform of
    torch.func's, which has no rule for the kernels.
    """
    if torch._C._functorch.peek_interpreter_stack() is not None:
        raise NotImplementedError(
            "fused_cpu has no rule for torch.func's vmap, grad and other transforms; use "
            "torch.autograd, "
            "or implementation='torch_unfused' there"
        )
    return (
        type(input) not in PLAIN
        or (residual is not None and type(residual) not in PLAIN)
        or torch._C._len_torch_dispatch_stack() > 0
        or torch._C._is_tracing()
    )


class _Layer(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        input: Tensor,
        residual: Tensor | None,
        weight: Tensor | None,
        bias: Tensor | None,
        running_mean: Statistic,
        running_var: Statistic,
        options: Options,
    ) -> Tensor:
        output, saved = kernels.forward(
            input, residual, weight, bias, running_mean, running_var, options
        )
        # What is saved may not be changed before the backward, so a bias that it does not read is
        # only remembered.
        reads_bias = options.activation is not None and saved.mask is None
        ctx.save_for_backward(
            saved.input,
            saved.mask,
            saved.weight,
            saved.bias if reads_bias else None,
            saved.statistics,
        )
        hooked = torch._C._autograd._top_saved_tensors_default_hooks(True) is not None
        ctx.rest = (
            None if reads_bias else saved.bias,
            saved.residual,
            options,
            [
                _form(saved.input),
                _form(saved.mask),
                _form(saved.weight),
                _form(saved.bias),
                _form(saved.statistics),
            ]
            if hooked
            else None,
        )
        return output

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Any, ...]:
        # Only who asks for a graph of the gradients can want a second derivative, and pay for its
        # being refused.
        return (
            _refusing_more(ctx, grad_output)
            if torch.is_grad_enabled()
            else _differentiate_once(ctx, grad_output)
        )


def _differentiate_once(ctx: Any, grad_output: Tensor) -> tuple[Any, ...]:
    remembered, residual, options, forms = ctx.rest
    kept = ctx.saved_tensors if forms is None else map(_formed, ctx.saved_tensors, forms)
    input, mask, weight, bias, statistics = kept
    saved = (input, mask, weight, remembered if bias is None else bias, statistics, residual)
    return (*kernels.backward(grad_output, saved, options), None, None, None)


Form = tuple[torch.dtype, tuple[int, ...]]


def _form(tensor: Tensor | None) -> Form | None:
    return None if tensor is None else (tensor.dtype, tensor.stride())


def _formed(tensor: Tensor | None, form: Form | None) -> Any:
    """The tensor in the dtype and with the strides that it was saved with, which a hook may have
    changed.
    """
    if tensor is None or form is None or (tensor.dtype, tensor.stride()) == form:
        return tensor
    dtype, strides = form
    return torch.empty_strided(tensor.shape, strides, dtype=dtype).copy_(tensor)


_refusing_more = torch.autograd.function.once_differentiable(_differentiate_once)


# As operators
# ------------------------------------------------------------------------------

FORWARD = (
    "(Tensor input, Tensor? residual, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? "
    "running_var, "
    "bool training, float eps, bool relu) -> (Tensor, Tensor, Tensor)"
)
BACKWARD = (
    "(Tensor grad_output, Tensor input, Tensor mask, Tensor? weight, Tensor? bias, Tensor "
    "statistics, bool training, "
    "float eps, bool relu, bool residual) -> (Tensor, Tensor, Tensor, Tensor)"
)


def _opaque(
    input: Tensor,
    residual: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Statistic,
    running_var: Statistic,
    options: Options,
) -> Tensor:
    training, momentum, eps, activation = options
    output: Tensor
    output, _, statistics = _forward(
        input,
        residual,
        weight,
        bias,
        None if training else running_mean,
        None if training else running_var,
        training,
        eps,
        activation is not None,
    )
    if training and running_mean is not None and running_var is not None:
        count = input.numel() // input.shape[1]
        mean, variance = statistics[0].detach(), statistics[1].detach().pow(-2) - eps
        running_mean.copy_((1 - momentum) * running_mean + momentum * mean)
        running_var.copy_(
            (1 - momentum) * running_var + momentum * (count / (count - 1)) * variance
        )
    return output


@torch.library.custom_op("bnbench::fused_cpu", mutates_args=(), schema=FORWARD)
def _forward(
    input: Tensor,
    residual: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Statistic,
    running_var: Statistic,
    training: bool,
    eps: float,
    relu: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    options = Options(training, 0.0, eps, "relu" if relu else None)
    output, saved = kernels.forward(
        input, residual, weight, bias, running_mean, running_var, options
    )
    return output, _mask_of(saved), saved.statistics


@_forward.register_fake
def _(
    input: Tensor,
    residual: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Statistic,
    running_var: Statistic,
    training: bool,
    eps: float,
    relu: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    mask = (
        kernels.mask_bytes(input)
        if kernels.mask_is_stored(residual, weight, training=training, relu=relu)
        else 0
    )
    return (
        torch.empty_like(input),
        input.new_empty(mask, dtype=torch.uint8),
        input.new_empty((2, input.shape[1]), dtype=torch.float64),
    )


@torch.library.custom_op("bnbench::fused_cpu_backward", mutates_args=(), schema=BACKWARD)
def _backward(
    grad_output: Tensor,
    input: Tensor,
    mask: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    statistics: Tensor,
    training: bool,
    eps: float,
    relu: bool,
    residual: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    options = Options(training, 0.0, eps, "relu" if relu else None)
    saved = Saved(
        input, mask if mask.numel() else None, weight, bias, statistics, residual and relu
    )
    found = kernels.backward(grad_output, saved, options)
    dresidual, dweight, dbias = (
        input.new_empty(0) if given is None else given for given in found[1:]
    )
    return found.input, dresidual, dweight, dbias


@_backward.register_fake
def _(
    grad_output: Tensor,
    input: Tensor,
    mask: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    statistics: Tensor,
    training: bool,
    eps: float,
    relu: bool,
    residual: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    like = (input if residual and relu else None, weight, bias)
    dresidual, dweight, dbias = (
        input.new_empty(0) if given is None else torch.empty_like(given) for given in like
    )
    return torch.empty_like(input), dresidual, dweight, dbias


def _mask_of(saved: Saved) -> Tensor:
    """The mask, or nothing. What nobody writes is 0, since the same call has to have the same
    outputs.
    """
    if saved.mask is None:
        return torch.empty(0, dtype=torch.uint8)
    saved.mask[-kernels.SLACK :] = 0
    return saved.mask


def _keep(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor, Tensor]) -> None:
    input, residual, weight, bias, _, _, *ctx.options = inputs
    ctx.residual = residual is not None
    ctx.set_materialize_grads(False)
    reads_bias = ctx.options[2] and output[1].numel() == 0
    ctx.bias = None if reads_bias else bias
    ctx.save_for_backward(input, output[1], weight, bias if reads_bias else None, output[2])


def _differentiate(ctx: Any, grad_output: Tensor, *_: Any) -> tuple[Any, ...]:
    input, mask, weight, bias, statistics = ctx.saved_tensors
    bias = ctx.bias if bias is None else bias
    relu = ctx.options[2]
    dx, dresidual, dweight, dbias = _backward(
        grad_output, input, mask, weight, bias, statistics, *ctx.options, ctx.residual
    )
    gradient = (dresidual if relu else grad_output) if ctx.residual else None
    return (
        dx,
        gradient,
        None if weight is None else dweight,
        None if bias is None else dbias,
        *[None] * 5,
    )


_forward.register_autograd(_differentiate, setup_context=_keep)
