"""PyTorch's own batch norm: what its users run, and the baseline of every comparison.

The layer is `torch.nn.functional.batch_norm`, residual and ReLU applied in place as in
torchvision's ResNet. The kernels are the operators behind it, `native_batch_norm` and
`native_batch_norm_backward`, with no autograd between.
"""

from __future__ import annotations

from typing import Any

import torch

from implementations.adapters import from_functions
from implementations.interface import Deviation, Gradients, Options, Phase

aten = torch.ops.aten
Tensor = torch.Tensor
# Seen in PyTorch 2.13: a batch of one, whose input is dense in one layout and whose gradient in the
# other, contiguous and channels_last.
MIXED_LAYOUTS = Deviation(
    "where the batch is 1 and the strides of sizes of 1 fit two layouts, the CPU backward takes "
    "one layout for both the input and the output's gradient, and reads one of them in the wrong "
    "order; every gradient is wrong",
    "batch_norm_backward_cpu in aten/src/ATen/native/Normalization.cpp of PyTorch 2.13, and "
    "batch_norm_cpu_backward_kernel in native/cpu/batch_norm_kernel.cpp",
    ("input.grad", "weight.grad", "bias.grad", "grad_input", "grad_weight", "grad_bias"),
)
DEVIATIONS = {
    "strided/sizes_of_1/gradient*": MIXED_LAYOUTS,
    "strided/sizes_of_1/input": MIXED_LAYOUTS,
}
NO_BACKWARD_OUT = (
    "PyTorch's CPU backward of batch norm has no variant that writes to a given output"
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
    """The layer: see `interface.Layer`."""
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
    """Return the output and what the backward needs, in this order:

    input          (N, C, *spatial), the operand itself
    mask_from      the output itself under an activation, else None
    residual       the operand itself, or None: whether there is a gradient for it
    weight, bias   (C,), the operands themselves, or None
    running_mean   (C,), or None; with frozen statistics the backward reads it
    running_var    (C,), or None
    mean           (C,), the batch's, float32 for narrower data; empty with frozen statistics
    invstd         (C,), 1 / sqrt(var + eps) likewise
    """
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
    """The gradients, each of its operand's shape and dtype. ``out`` stays unused: see
    ``NO_BACKWARD_OUT``.
    """
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


TorchNative = from_functions(
    forward,
    backward,
    layer=layer,
    deviations=DEVIATIONS,
    fresh_outputs_only={phase: NO_BACKWARD_OUT for phase in Phase if phase.has_backward},
)
