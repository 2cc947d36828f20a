"""Batch norm in vectorized NumPy: two passes, one thread, means accumulated in float64.

The place to read what BN computes. float16 is computed in float32; bfloat16 NumPy does not have.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from implementations.adapters import from_functions
from implementations.bridge import Bridge
from implementations.interface import Gradients, Options, Supports

Array = NDArray[Any]
# infinities travel as IEEE 754 says; NumPy alone would warn of them
QUIET = np.errstate(invalid="ignore", over="ignore")


# NumPy has no bfloat16.
SUPPORTS = Supports(dtypes=("float32", "float64", "float16", "float16/float32"), devices=("cpu",))


@QUIET
def forward(
    input: Array,
    residual: Array | None,
    weight: Array | None,
    bias: Array | None,
    running_mean: Array | None,
    running_var: Array | None,
    options: Options,
    out: Array | None = None,
) -> tuple[Array, tuple[Array | None, ...]]:
    """Return the output and what the backward needs, in this order:

    normalized     (N, C, *spatial), x̂, float32 for float16 data, the data's dtype otherwise
    invstd         (C,), 1 / sqrt(var + eps), float64
    output         the output itself under an activation, in the data's dtype, else None
    residual       the operand itself, or None: whether there is a gradient for it
    weight, bias   (C,), the operands themselves, or None
    """
    axes = (0, *range(2, input.ndim))
    x = widened(input)
    if options.training:
        mean = x.mean(axes, dtype=np.float64)
        centred = x - column(mean, x)
        variance = np.square(centred).mean(axes, dtype=np.float64)
        update(running_mean, mean, options.momentum)
        count = input.size // input.shape[1]
        update(running_var, variance * (count / (count - 1)), options.momentum)
    else:
        mean, variance = np.asarray(running_mean), np.asarray(running_var)
        centred = x - column(mean, x)
    invstd = 1 / np.sqrt(variance.astype(np.float64) + options.eps)
    normalized = np.multiply(centred, column(invstd, x), out=centred)
    z = normalized.copy(order="K") if weight is None else normalized * column(weight, x)
    if bias is not None:
        z += column(bias, x)
    if residual is not None:
        z += residual
    if options.activation:
        np.maximum(z, 0, out=z)
    output = delivered(z, input.dtype, out)
    return output, (
        normalized,
        invstd,
        output if options.activation else None,
        residual,
        weight,
        bias,
    )


@QUIET
def backward(
    grad_output: Array, saved: tuple[Any, ...], options: Options, out: Gradients | None = None
) -> Gradients:
    """The laws of `interface`, line by line; each gradient in its operand's shape and dtype."""
    normalized, invstd, output, residual, weight, bias = saved
    axes = (0, *range(2, grad_output.ndim))
    dz = widened(grad_output) if output is None else widened(grad_output) * (output > 0)
    dbias = dz.sum(axes, dtype=np.float64)
    dweight = (dz * normalized).sum(axes, dtype=np.float64)
    dx = dz
    if options.training:
        count = dz.size // dz.shape[1]
        dx = dz - column(dbias / count, dz) - normalized * column(dweight / count, dz)
    dx = dx * column(invstd if weight is None else invstd * weight, dz)
    given = out or Gradients(None, None, None, None)
    return Gradients(
        delivered(dx, grad_output.dtype, given.input),
        None if residual is None else delivered(dz, grad_output.dtype, given.residual),
        None if weight is None else delivered(dweight, weight.dtype, given.weight),
        None if bias is None else delivered(dbias, bias.dtype, given.bias),
    )


def update(running: Array | None, batch: Array, momentum: float) -> None:
    """Move a running statistic towards the batch's, in place."""
    if running is not None:
        running[...] = (1 - momentum) * running.astype(np.float64) + momentum * batch


def widened(array: Array) -> Array:
    """The array in the dtype that is computed in: float32 for float16, its own otherwise."""
    return array.astype(np.float32) if array.dtype == np.float16 else array


def column(values: Array, like: Array) -> Array:
    """(C,) values in the dtype of ``like``, shaped to broadcast against it, of shape (N, C,
    *spatial).
    """
    return values.astype(like.dtype).reshape(-1, *[1] * (like.ndim - 2))


def delivered(array: Array, dtype: np.dtype[Any], out: Array | None) -> Array:
    """The array in the wanted dtype, in ``out`` where that is given."""
    if out is None:
        return array.astype(dtype, copy=False)
    out[...] = array
    return out


def to_native(tensor: torch.Tensor) -> Array:
    """The tensor's memory as an array."""
    array: Array = tensor.detach().numpy()
    return array


NUMPY = Bridge(to_native=to_native, to_torch=torch.from_numpy)
NumpyVectorized = from_functions(forward, backward, supports=SUPPORTS, bridge=NUMPY, name="numpy")
