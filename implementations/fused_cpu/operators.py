"""The kernels as operators of PyTorch's, which change none of their arguments: the layer where
calls are recorded.

The running statistics are updated outside the operator, from the statistics that it returns.
"""

from __future__ import annotations

from typing import Any

import torch

from implementations.fused_cpu import kernels
from implementations.fused_cpu.kernels import Saved
from implementations.interface import Options

Tensor = torch.Tensor

FORWARD = (
    "(Tensor input, Tensor? residual, Tensor? weight, Tensor? bias, Tensor? running_mean, "
    "Tensor? running_var, bool training, float eps, bool relu) -> (Tensor, Tensor, Tensor)"
)
BACKWARD = (
    "(Tensor grad_output, Tensor input, Tensor mask, Tensor? weight, Tensor? bias, "
    "Tensor statistics, bool training, float eps, bool relu, bool residual) "
    "-> (Tensor, Tensor, Tensor, Tensor)"
)


def layer(
    input: Tensor,
    residual: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    options: Options,
) -> Tensor:
    """The layer by way of the operators: see `interface.Layer`."""
    training, momentum, eps, activation, *_ = options
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


# Returns the output, and of `Saved` the mask, empty for None, and the statistics.
@torch.library.custom_op("bnbench::fused_cpu", mutates_args=(), schema=FORWARD)
def _forward(
    input: Tensor,
    residual: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
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
    running_mean: Tensor | None,
    running_var: Tensor | None,
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


# Returns the gradients of input, residual, weight and bias, empty for absent ones.
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
    gradients = kernels.backward(grad_output, saved, options)
    dresidual, dweight, dbias = (
        input.new_empty(0) if gradient is None else gradient for gradient in gradients[1:]
    )
    return gradients.input, dresidual, dweight, dbias


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
    """The mask, or an empty tensor. Its unwritten last bytes become 0, since operators have to
    return the same for the same arguments.
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
