"""ONNX's BatchNormalization, computed here as its specification says, against `batch_norm` with
conventions translated.

    Y            = (X - m) / sqrt(v + epsilon) · scale + B         m, v: the batch's in training,
                 else the given ones
    running_mean = input_mean · momentum + mean · (1 - momentum)
    running_var  = input_var  · momentum + var  · (1 - momentum)   var over N, not N - 1

So ONNX's momentum is one minus ours, and of our running variance the batch's part must be made
biased again. Source: https://onnx.ai/onnx/operators/onnx__BatchNormalization.html, version 15.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from harness.conformance.cases import OnnxCase
from harness.conformance.checks.pytorch_reference import bound, compared, laid_out, normal
from harness.conformance.compare import QuantityCheck
from implementations import batch_norm
from implementations.interface import Implementation

Tensor = torch.Tensor


def check(implementation: Implementation, case: OnnxCase, device: str) -> Iterator[QuantityCheck]:
    draw = np.random.Generator(np.random.PCG64(15))
    dtype = getattr(torch, case.dtype)
    x = laid_out(normal(draw, case.shape).to(device, dtype), case.memory_format)
    scale, shift, mean = (normal(draw, case.shape[1:2]).to(device, dtype) for _ in range(3))
    var = normal(draw, case.shape[1:2]).to(device, dtype).abs()
    if not case.affine:
        scale, shift = torch.ones_like(scale), torch.zeros_like(shift)
    kept, tolerance = 1 - case.momentum, bound(case.shape, dtype)
    running_mean, running_var = mean.clone(), var.clone()
    got = batch_norm(
        x,
        running_mean,
        running_var,
        scale if case.affine else None,
        shift if case.affine else None,
        case.training,
        kept,
        case.eps,
        implementation=implementation,
    )
    output, wanted_mean, wanted_var = specified(
        case, *(operand.double() for operand in (x, scale, shift, mean, var))
    )
    yield compared("Y", got, x, output, tolerance)
    yield compared("running_mean", running_mean, mean, wanted_mean, tolerance)
    if case.training:
        count = x.numel() / x.shape[1]
        old = case.momentum * var
        running_var = old + (running_var - old) * ((count - 1) / count)
    yield compared("running_var", running_var, var, wanted_var, tolerance)


def specified(
    case: OnnxCase, x: Tensor, scale: Tensor, shift: Tensor, mean: Tensor, var: Tensor
) -> tuple[Tensor, ...]:
    """Y and the two running statistics, which stay as they are at inference."""
    axes = [0, *range(2, x.dim())]
    column = (-1, *[1] * (x.dim() - 2))
    used = (mean, var)
    if case.training:
        used = (x.mean(axes), x.var(axes, correction=0))
        mean, var = (
            old * case.momentum + new * (1 - case.momentum)
            for old, new in zip((mean, var), used, strict=True)
        )
    centred = x - used[0].view(column)
    output = centred / torch.sqrt(used[1].view(column) + case.eps) * scale.view(
        column
    ) + shift.view(column)
    return output, mean, var
