"""Forward and backward on torch tensors, with no autograd: memory is made ready, and its addresses
go to the C++.

The C++ reads data of shape (N, C, *spatial) that are contiguous or channels_last, in one of four
dtypes, and contiguous values of shape (C,). Anything else is copied first. It runs on
``torch.get_num_threads()`` threads.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch

from implementations.fused_cpu.library import native
from implementations.fused_cpu.memory import address, dense, like, plain
from implementations.interface import Gradients, Options

Tensor = torch.Tensor
# kernel_api.hpp's Dtype
NUMBERS = {torch.float32: 0, torch.float64: 1, torch.bfloat16: 2, torch.float16: 3}
SLACK = 8  # bytes behind a mask, which is read eight bytes at a time


class Saved(NamedTuple):
    """What a backward needs.

    input        (N, C, *spatial), contiguous or channels_last: the operand itself, or a dense copy
    mask         uint8, of `mask_bytes(input)`: a bit for each element, whether ReLU lets it pass;
                 None without a ReLU, and where that can be computed from input and statistics
    weight, bias (C,), contiguous; None where absent
    statistics   (2, C), float64: mean and 1 / sqrt(var + eps), of the batch or frozen
    residual     whether there is a residual, and so a gradient for it

    It holds a bool beside the arrays, which `interface.Forward` does not allow: only the layer of
    its own, in `autograd`, can save it.
    """

    input: Tensor
    mask: Tensor | None
    weight: Tensor | None
    bias: Tensor | None
    statistics: Tensor
    residual: bool


def forward(
    input: Tensor,
    residual: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    options: Options,
    out: Tensor | None = None,
) -> tuple[Tensor, Saved]:
    """The output, with the input's shape, dtype and layout, and what the backward needs."""
    training, _, _, activation, *_ = options
    input, weight, bias = dense(input), plain(weight), plain(bias)
    residual = None if residual is None else like(residual, input)
    output = torch.empty_like(input) if out is None else out
    # not `torch.empty`, which heeds a default device
    statistics = input.new_empty((2, input.shape[1]), dtype=torch.float64)
    stored = mask_is_stored(residual, weight, training=training, relu=activation is not None)
    mask = input.new_empty(mask_bytes(input), dtype=torch.uint8) if stored else None
    run_forward(
        input, residual, weight, bias, running_mean, running_var, options, output, mask, statistics
    )
    return output, Saved(input, mask, weight, bias, statistics, residual is not None)


def infer(
    input: Tensor,
    residual: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    options: Options,
) -> Tensor:
    """The output alone, where no backward will follow."""
    input, weight, bias = dense(input), plain(weight), plain(bias)
    output = torch.empty_like(input)
    residual = None if residual is None else like(residual, input)
    run_forward(
        input, residual, weight, bias, running_mean, running_var, options, output, None, None
    )
    return output


def backward(
    grad_output: Tensor, saved: tuple[Any, ...], options: Options, out: Gradients | None = None
) -> Gradients:
    """The gradients of the operands that there are. ``saved`` is a `Saved`, or a tuple of its
    values. Without an activation the residual's gradient is ``grad_output`` itself, unless ``out``
    asks for a copy.
    """
    input, mask, weight, bias, statistics, residual = saved
    grad_output = like(grad_output, input)
    given = out or Gradients(
        torch.empty_like(input),
        torch.empty_like(input) if residual and options.activation else None,
        None if weight is None else torch.empty_like(weight),
        None if bias is None else torch.empty_like(bias),
    )
    parameter = weight if weight is not None else bias
    native().backward(
        NUMBERS[input.dtype],
        *geometry(input),
        address(grad_output),
        address(input),
        address(mask),
        given.input.data_ptr(),
        address(given.residual) if options.activation else 0,
        NUMBERS[input.dtype if parameter is None else parameter.dtype],
        address(weight),
        address(bias),
        address(given.weight),
        address(given.bias),
        statistics.data_ptr(),
        options.training,
        options.activation is not None,
        torch.get_num_threads(),
    )
    if not residual or options.activation:
        return given
    # dz is the output's gradient itself, and is written only where an array was given for it.
    return given._replace(
        residual=grad_output if out is None else given.residual.copy_(grad_output)
    )


def run_forward(
    input: Tensor,
    residual: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    options: Options,
    output: Tensor,
    mask: Tensor | None,
    statistics: Tensor | None,
) -> None:
    """Write the output, and the mask and the statistics where they are given; update the running
    statistics in training, which may be strided.
    """
    training, momentum, eps, activation, *_ = options
    mean, var = plain(running_mean), plain(running_var)
    if mean is not running_mean or var is not running_var:
        run_forward(input, residual, weight, bias, mean, var, options, output, mask, statistics)
        if training:
            _write_back(running_mean, mean)
            _write_back(running_var, var)
        return
    parameter = next((given for given in (weight, bias, running_mean) if given is not None), input)
    native().forward(
        NUMBERS[input.dtype],
        *geometry(input),
        input.data_ptr(),
        address(residual),
        output.data_ptr(),
        address(mask),
        NUMBERS[parameter.dtype],
        address(weight),
        address(bias),
        address(running_mean),
        address(running_var),
        address(statistics),
        training,
        activation is not None,
        momentum,
        eps,
        torch.get_num_threads(),
    )


def geometry(input: Tensor) -> tuple[bool, int, int, int]:
    """How a dense input lies in memory: (True, rows, channels, 1) where the channels are innermost,
    else (False, samples, channels, pixels).
    """
    samples, channels = input.shape[:2]
    pixels = input.numel() // (samples * channels)
    return (
        (True, samples * pixels, channels, 1)
        if pixels == 1 or not input.is_contiguous()
        else (False, samples, channels, pixels)
    )


def mask_is_stored(
    residual: Tensor | None, weight: Tensor | None, *, training: bool, relu: bool
) -> bool:
    """Whether the forward stores ReLU's mask: where there is a residual, without which the backward
    cannot compute it, and where the backward would read the input for nothing else.
    """
    return relu and (residual is not None or not (training or weight is not None))


def mask_bytes(input: Tensor) -> int:
    """The bytes of a mask: a bit for each element, each row or sample beginning with a new byte,
    and ``SLACK``.
    """
    rows, samples, channels, pixels = geometry(input)
    return samples * (-(-channels // 8) if rows else -(-channels * pixels // 8)) + SLACK


def _write_back(statistic: Tensor | None, updated: Tensor | None) -> None:
    if statistic is not None and updated is not None:
        statistic.copy_(updated)
