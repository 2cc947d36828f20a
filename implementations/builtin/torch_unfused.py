"""Batch norm written out in elementary PyTorch operations, one kernel launch and one pass over
memory for each.

This is the textbook formula as a student would write it, and the cost that fusing saves. bfloat16
and float16 data are computed in float32, as PyTorch's own kernels do.
"""

from __future__ import annotations

from typing import Any

import torch

from implementations.adapters import from_functions
from implementations.interface import Gradients, Options, Phase

Tensor = torch.Tensor


def layer(
    input: Tensor,
    residual: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    options: Options,
) -> Tensor:
    """The forward alone: autograd differentiates it."""
    return forward(input, residual, weight, bias, running_mean, running_var, options)[0]


def forward(
    input: Tensor,
    residual: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    options: Options,
    out: Tensor | None = None,
) -> tuple[Tensor, tuple[Tensor | None, ...]]:
    """Return the output and what the backward needs, in this order, float32 for bfloat16 and
    float16 data, the data's dtype otherwise:

    normalized     (N, C, *spatial), x̂
    invstd         (C,), 1 / sqrt(var + eps)
    output         the output itself under an activation, in the data's dtype, else None
    residual       the operand itself, or None: whether there is a gradient for it
    weight, bias   (C,), the operands themselves, or None

    ``out`` stays unused: elementary operations make a fresh tensor each.
    """
    axes = [axis for axis in range(input.dim()) if axis != 1]
    x = widened(input)
    if options.training:
        mean = x.mean(axes)
        centred = x - column(mean, x)
        variance = centred.square().mean(axes)
        update(
            running_mean,
            running_var,
            mean,
            variance,
            input.numel() // input.shape[1],
            options.momentum,
        )
    else:
        mean, variance = widened(running_mean), widened(running_var)
        centred = x - column(mean, x)
    invstd = torch.rsqrt(variance + options.eps)
    normalized = centred * column(invstd, x)
    z = normalized
    if weight is not None:
        z = z * column(widened(weight), x)
    if bias is not None:
        z = z + column(widened(bias), x)
    if residual is not None:
        z = z + widened(residual)
    output = (torch.relu(z) if options.activation else z).to(input.dtype)
    return output, (
        normalized,
        invstd,
        output if options.activation else None,
        residual,
        weight,
        bias,
    )


def backward(
    grad_output: Tensor, saved: tuple[Any, ...], options: Options, out: Gradients | None = None
) -> Gradients:
    """The laws of `interface`, line by line; each gradient in its operand's shape and dtype."""
    normalized, invstd, output, residual, weight, bias = saved
    axes = [axis for axis in range(grad_output.dim()) if axis != 1]
    dz = widened(grad_output)
    if output is not None:
        dz = dz * (output > 0)
    dbias = dz.sum(axes)
    dweight = (dz * normalized).sum(axes)
    scale = invstd if weight is None else invstd * widened(weight)
    dx = dz
    if options.training:
        count = dz.numel() // dz.shape[1]
        dx = dz - column(dbias / count, dz) - normalized * column(dweight / count, dz)
    dx = dx * column(scale, dz)
    return Gradients(
        dx.to(grad_output.dtype),
        None if residual is None else dz.to(grad_output.dtype),
        None if weight is None else dweight.to(weight.dtype),
        None if bias is None else dbias.to(bias.dtype),
    )


def update(
    running_mean: Tensor | None,
    running_var: Tensor | None,
    mean: Tensor,
    variance: Tensor,
    count: int,
    momentum: float,
) -> None:
    """Move the running statistics towards the batch's, the variance made unbiased."""
    with torch.no_grad():
        for running, batch in (
            (running_mean, mean),
            (running_var, variance * (count / (count - 1))),
        ):
            if running is not None:
                running.copy_((1 - momentum) * widened(running) + momentum * batch)


def widened(tensor: Any) -> Tensor:
    """The tensor in the dtype that is computed in: float32 for bfloat16 and float16, its own
    otherwise.
    """
    wide: Tensor = tensor.float() if tensor.dtype in (torch.bfloat16, torch.float16) else tensor
    return wide


def column(values: Tensor, like: Tensor) -> Tensor:
    """(C,) values shaped to broadcast against ``like``, of shape (N, C, *spatial)."""
    return values.reshape(-1, *[1] * (like.dim() - 2))


TorchUnfused = from_functions(
    forward,
    backward,
    layer=layer,
    fresh_outputs_only=dict.fromkeys(Phase, "elementary operations make a fresh tensor each"),
)
