"""Batch norm in float64, two passes, in NumPy: the only arbiter of numbers. It is plain rather than
fast.

An operand of shape (N, C, *spatial) is seen as a matrix of n = N · prod(spatial) observations of C
variables, so that per-channel values, of shape (C,), broadcast as the laws of `interface` are
written. Channels do not depend on each other, so any of them may be evaluated alone: that keeps
large problems small.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

    from implementations.interface import Arrays, Phase, Problem

Array = NDArray[np.float64]


@dataclass(frozen=True)
class OracleResults:
    """What the laws give for C' chosen channels, in float64; the intermediate values are what error
    bounds need.

    Of shape (n, C'): input, residual, normalized (x̂), affine (weight · x̂ + bias), z, output,
    grad_z (dz), grad_input and grad_residual. Of shape (C',): everything else. ``mean`` and ``var``
    are those that normalized: the batch's when training, the running ones otherwise. Gradients are
    absent in phases without a backward, and for absent operands.
    """

    input: Array
    residual: Array | None
    weight: Array
    bias: Array
    mean: Array
    var: Array
    rstd: Array
    normalized: Array
    affine: Array
    z: Array
    output: Array
    running_mean: Array
    running_var: Array
    grad_z: Array | None = None
    grad_input: Array | None = None
    grad_residual: Array | None = None
    grad_weight: Array | None = None
    grad_bias: Array | None = None


# infinities and NaN travel as IEEE 754 says, and need no warning
@np.errstate(invalid="ignore", over="ignore")
def evaluate(
    problem: Problem,
    phase: Phase,
    arrays: Arrays,
    *,
    channels: Sequence[int] | None = None,
    mask: NDArray[np.bool_] | None = None,
) -> OracleResults:
    """Evaluate the laws on the given channels, or on all.

    ``mask``, of shape (n, C'), is where an implementation's own output is positive. The backward
    takes it for ReLU's, since a z within rounding of 0 may fall on either side. Raises ValueError
    for one value a channel in training.
    """
    if phase.training and problem.reduction == 1:
        raise ValueError(f"{problem} has one value a channel; training needs more")
    forward = _forward(problem, phase, arrays, channels)
    if not phase.has_backward:
        return forward
    return backward(forward, problem, phase, arrays, channels=channels, mask=mask)


@np.errstate(invalid="ignore", over="ignore")
def backward(
    forward: OracleResults,
    problem: Problem,
    phase: Phase,
    arrays: Arrays,
    *,
    channels: Sequence[int] | None = None,
    mask: NDArray[np.bool_] | None = None,
) -> OracleResults:
    """The results of `evaluate` for the same channels, with the gradients that belong to the mask:
    the exact one, unless another is given.
    """
    grad_z = matrix(arrays.grad_output, channels)
    if problem.activation == "relu":
        grad_z = np.where(forward.output > 0 if mask is None else mask, grad_z, 0)
    return _differentiated(forward, grad_z, phase, arrays)


def _forward(
    problem: Problem, phase: Phase, arrays: Arrays, channels: Sequence[int] | None
) -> OracleResults:
    x = matrix(arrays.input, channels)
    weight = np.ones(x.shape[1]) if arrays.weight is None else vector(arrays.weight, channels)
    bias = np.zeros(x.shape[1]) if arrays.bias is None else vector(arrays.bias, channels)
    residual = None if arrays.residual is None else matrix(arrays.residual, channels)
    running_mean, running_var = (
        vector(arrays.running_mean, channels),
        vector(arrays.running_var, channels),
    )
    if phase.training:
        mean, var, centred = moments(x)
        unbiased = var * (problem.reduction / (problem.reduction - 1))
        running_mean = (1 - arrays.momentum) * running_mean + arrays.momentum * mean
        running_var = (1 - arrays.momentum) * running_var + arrays.momentum * unbiased
    else:
        mean, var, centred = running_mean, running_var, x - running_mean
    rstd = 1 / np.sqrt(var + arrays.eps)
    normalized = centred * rstd
    affine = weight * normalized + bias
    z = affine if residual is None else affine + residual
    output = np.maximum(z, 0) if problem.activation == "relu" else z
    return OracleResults(
        x,
        residual,
        weight,
        bias,
        mean,
        var,
        rstd,
        normalized,
        affine,
        z,
        output,
        running_mean,
        running_var,
    )


def _differentiated(
    forward: OracleResults, grad_z: Array, phase: Phase, arrays: Arrays
) -> OracleResults:
    """The forward's results with the gradients that belong to ``grad_z``, the gradient of z."""
    grad_bias, grad_weight = grad_z.sum(0), (grad_z * forward.normalized).sum(0)
    centred = grad_z
    if phase.training:
        count = len(grad_z)
        centred = grad_z - grad_bias / count - forward.normalized * (grad_weight / count)
    return replace(
        forward,
        grad_z=grad_z,
        grad_input=forward.weight * forward.rstd * centred,
        grad_residual=None if arrays.residual is None else grad_z,
        grad_weight=None if arrays.weight is None else grad_weight,
        grad_bias=None if arrays.bias is None else grad_bias,
    )


def moments(x: Array) -> tuple[Array, Array, Array]:
    """Each column's mean, biased variance and centred values. Centring twice takes off the first
    mean's rounding.

    The mean of infinite values is infinite, and their centred values are NaN.
    """
    mean = x.mean(0)
    centred = x - mean
    correction = centred.mean(0)
    centred -= correction
    return np.where(np.isinf(mean), mean, mean + correction), np.square(centred).mean(0), centred


def matrix(tensor: torch.Tensor, channels: Sequence[int] | None = None) -> Array:
    """A tensor of shape (N, C, *spatial) and any dtype as float64 observations × variables, (n,
    C'), by column.
    """
    chosen = tensor.detach()[:, _index(channels)].movedim(1, 0)
    columns: Array = chosen.cpu().double().flatten(1).contiguous().numpy()
    return columns.T


def vector(tensor: torch.Tensor, channels: Sequence[int] | None = None) -> Array:
    """A tensor of shape (C,) and any dtype as float64, (C',)."""
    values: Array = tensor.detach()[_index(channels)].cpu().double().numpy()
    return values


def _index(channels: Sequence[int] | None) -> slice | list[int]:
    """All, and ranges, as a slice, which copies nothing."""
    match channels:
        case None:
            return slice(None)
        case range():
            return slice(channels.start, channels.stop, channels.step)
        case _:
            return list(channels)
