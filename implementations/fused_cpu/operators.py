"""The kernels as operators of PyTorch's, which change none of their arguments: the layer where
calls are recorded.

The operator returns the running statistics as they are after the call; they are written back
outside it.
"""

from __future__ import annotations

from typing import Any

import torch

from implementations.fused_cpu import kernels
from implementations.fused_cpu.kernels import Saved
from implementations.interface import Gradients, Options
from implementations.refusals import refuse_graph_of_gradient, refuse_onnx_export

Tensor = torch.Tensor

FORWARD = (
    "(Tensor input, Tensor? residual, Tensor? weight, Tensor? bias, Tensor? running_mean, "
    "Tensor? running_var, bool training, float momentum, float eps, bool relu) "
    "-> (Tensor, Tensor, Tensor, Tensor, Tensor)"
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
    """The layer by way of the operators: see `interface.Layer`.

    Raises ``Unsupported`` inside `torch.onnx.export`, which has no such operators.
    """
    refuse_onnx_export("fused_cpu")
    training, momentum, eps, activation, *_ = options
    output: Tensor
    output, _, _, new_mean, new_var = _forward(
        input,
        residual,
        weight,
        bias,
        running_mean,
        running_var,
        training,
        momentum,
        eps,
        activation is not None,
    )
    if training and running_mean is not None and running_var is not None:
        running_mean.copy_(new_mean.detach())
        running_var.copy_(new_var.detach())
    return output


# Returns the output; of `Saved` the mask, empty for None, and the statistics; and the new running
# statistics, empty where there are none to update.
@torch.library.custom_op("bnbench::fused_cpu", mutates_args=(), schema=FORWARD)
def _forward(
    input: Tensor,
    residual: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
    relu: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    options = Options(training, momentum, eps, "relu" if relu else None)
    new_mean, new_var = (
        _copy_to_update(statistic, input, training) for statistic in (running_mean, running_var)
    )
    if training and running_mean is not None and running_var is not None:
        running_mean, running_var = new_mean, new_var
    output, saved = kernels.forward(
        input, residual, weight, bias, running_mean, running_var, options
    )
    return output, _mask_of(saved, input), saved.statistics, new_mean, new_var


@_forward.register_fake
def _(
    input: Tensor,
    residual: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
    relu: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    refuse_onnx_export("fused_cpu")  # Dynamo takes that in `layer` for a constant
    mask = (
        kernels.mask_bytes(input)
        if kernels.mask_is_stored(residual, weight, training=training, relu=relu)
        else 0
    )
    return (
        torch.empty_like(input),
        input.new_empty(mask, dtype=torch.uint8),
        input.new_empty((2, input.shape[1]), dtype=torch.float64),
        _copy_to_update(running_mean, input, training),
        _copy_to_update(running_var, input, training),
    )


def backward(grad_output: Tensor, saved: tuple[Any, ...], options: Options) -> Gradients:
    """`kernels.backward` by way of the operator."""
    input, mask, weight, bias, statistics, residual = saved
    relu = options.activation is not None
    dx, dresidual, dweight, dbias = _backward(
        grad_output,
        input,
        input.new_empty(0, dtype=torch.uint8) if mask is None else mask,
        weight,
        bias,
        statistics,
        options.training,
        options.eps,
        relu,
        residual,
    )
    return Gradients(
        dx,
        (dresidual if relu else grad_output) if residual else None,
        None if weight is None else dweight,
        None if bias is None else dbias,
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


def _copy_to_update(statistic: Tensor | None, input: Tensor, training: bool) -> Tensor:
    """A contiguous copy of a running statistic, which the kernels update; empty where there is
    nothing to update.
    """
    if statistic is None or not training:
        return input.new_empty(0)
    return statistic.clone(memory_format=torch.contiguous_format)


def _mask_of(saved: Saved, input: Tensor) -> Tensor:
    """The mask, or an empty tensor. Its unwritten last bytes become 0, since operators have to
    return the same for the same arguments.
    """
    if saved.mask is None:
        return input.new_empty(0, dtype=torch.uint8)
    saved.mask[-kernels.SLACK :] = 0
    return saved.mask


def _keep(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    input, residual, weight, bias, _, _, training, _, eps, relu = inputs
    ctx.options = Options(training, 0.0, eps, "relu" if relu else None)
    ctx.residual = residual is not None
    ctx.set_materialize_grads(False)
    reads_bias = relu and output[1].numel() == 0
    ctx.bias = None if reads_bias else bias
    ctx.save_for_backward(input, output[1], weight, bias if reads_bias else None, output[2])


def _differentiate(ctx: Any, grad_output: Tensor, *_: Any) -> tuple[Any, ...]:
    refuse_graph_of_gradient("fused_cpu")
    input, mask, weight, bias, statistics = ctx.saved_tensors
    bias = ctx.bias if bias is None else bias
    saved = (input, mask, weight, bias, statistics, ctx.residual)
    return (*backward(grad_output, saved, ctx.options), *[None] * 6)


_forward.register_autograd(_differentiate, setup_context=_keep)
