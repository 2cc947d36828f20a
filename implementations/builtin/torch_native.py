"""PyTorch's own batch norm: what its users run, and the baseline of every comparison.

The layer is `torch.nn.functional.batch_norm`, residual and ReLU applied in place as in
torchvision's ResNet. The kernels are the operators behind it, `native_batch_norm` and
`native_batch_norm_backward`, with no autograd between.
"""

from __future__ import annotations

from typing import Any

import torch

from implementations.adapters import prepare_with
from implementations.interface import (
    Arrays,
    Face,
    Gradients,
    Implementation,
    Layer,
    Options,
    Outputs,
    Phase,
    Prepared,
    Problem,
    Unsupported,
)

aten = torch.ops.aten
Tensor = torch.Tensor


class TorchNative(Implementation):
    runtime = "torch"

    def unsupported(self, problem: Problem, phase: Phase, device: str) -> str | None:
        return None

    def layer(self, problem: Problem) -> Layer:
        return layer

    def prepare(
        self, problem: Problem, phase: Phase, *, face: Face, outputs: Outputs, arrays: Arrays
    ) -> Prepared:
        if face == "kernel" and outputs == "reused" and phase.has_backward:
            raise Unsupported(
                "PyTorch's CPU backward of batch norm has no variant that writes to a given output"
            )
        return prepare_with(
            face, layer, forward, backward, problem, phase, outputs=outputs, arrays=arrays
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
    output = torch.nn.functional.batch_norm(
        input,
        running_mean,
        running_var,
        weight,
        bias,
        options.training,
        options.momentum,
        options.eps,
    )
    return finish(output, residual, options)


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
    operands = (
        input,
        weight,
        bias,
        running_mean,
        running_var,
        options.training,
        options.momentum,
        options.eps,
    )
    if out is None:
        output, mean, invstd = aten.native_batch_norm(*operands)
    else:
        empty = torch.empty(
            0, dtype=(input if running_mean is None else running_mean).dtype, device=input.device
        )
        output, mean, invstd = aten.native_batch_norm.out(
            *operands, out=out, save_mean=empty, save_invstd=empty.clone()
        )
    output = finish(output, residual, options)
    mask_from = output if options.activation else None
    return output, (
        input,
        mask_from,
        residual,
        weight,
        bias,
        running_mean,
        running_var,
        mean,
        invstd,
    )


def backward(
    grad_output: Tensor, saved: tuple[Any, ...], options: Options, out: Gradients | None = None
) -> Gradients:
    input, output, residual, weight, bias, running_mean, running_var, mean, invstd = saved
    if output is not None:
        grad_output = aten.threshold_backward(grad_output, output, 0)
    gradients = aten.native_batch_norm_backward(
        grad_output,
        input,
        weight,
        running_mean,
        running_var,
        mean,
        invstd,
        options.training,
        options.eps,
        [True, weight is not None, bias is not None],
    )
    return Gradients(
        gradients[0], None if residual is None else grad_output, gradients[1], gradients[2]
    )


def finish(output: Tensor, residual: Tensor | None, options: Options) -> Tensor:
    """Add the residual and apply the activation, in place: the output is fresh and BN's backward
    does not read it.
    """
    if residual is not None:
        output = output.add_(residual)
    return output.relu_() if options.activation else output
