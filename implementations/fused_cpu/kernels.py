"""Forward and backward on torch tensors, with no autograd: memory made ready, and addresses handed
to the C++.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch

from implementations.fused_cpu.library import native
from implementations.interface import Gradients, Options

Tensor = torch.Tensor
# kernel_api.hpp's Dtype
NUMBERS = {torch.float32: 0, torch.float64: 1, torch.bfloat16: 2, torch.float16: 3}
SLACK = 8  # bytes behind a mask, which is read eight bytes at a time
CHANNELS_LAST = {4: torch.channels_last, 5: torch.channels_last_3d}


class Saved(NamedTuple):
    """What a backward needs. ``mask`` has a bit for each element where it cannot be recomputed;
    ``statistics`` are mean and 1/sqrt(var + eps), of shape (2, C), in float64.
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
    training, _, _, activation = options
    input, weight, bias = dense(input), plain(weight), plain(bias)
    residual = None if residual is None else like(residual, input)
    output = torch.empty_like(input) if out is None else out
    statistics = torch.empty((2, input.shape[1]), dtype=torch.float64)
    stored = mask_is_stored(residual, weight, training=training, relu=activation is not None)
    mask = torch.empty(mask_bytes(input), dtype=torch.uint8) if stored else None
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
        grad_output.data_ptr(),
        input.data_ptr(),
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
    # dz is the output's gradient itself, and has to be written only where an array was given for
    # it.
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
    training, momentum, eps, activation = options
    strided = [
        given
        for given in (running_mean, running_var)
        if given is not None and not given.is_contiguous()
    ]
    if strided and running_mean is not None and running_var is not None:
        mean, var = running_mean.contiguous(), running_var.contiguous()
        run_forward(input, residual, weight, bias, mean, var, options, output, mask, statistics)
        if training:
            running_mean.copy_(mean)
            running_var.copy_(var)
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
    """Whether the channels lie innermost, and then rows, channels and 1; else samples, channels and
    pixels.
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
    """Whether the backward cannot recompute ReLU's mask: for a residual, and where it has no other
    need of the input.
    """
    return relu and (residual is not None or not (training or weight is not None))


def mask_bytes(input: Tensor) -> int:
    """A bit for each element, each row's or sample's in bytes of their own, and what may be read
    beyond the last.
    """
    rows, samples, channels, pixels = geometry(input)
    return samples * (-(-channels // 8) if rows else -(-channels * pixels // 8)) + SLACK


def dense(tensor: Tensor) -> Tensor:
    """The tensor as it is where it is contiguous or channels_last, else a contiguous copy."""
    tensor = in_memory(tensor)
    if tensor.is_contiguous():
        return tensor
    channels_last = CHANNELS_LAST.get(tensor.dim())
    if channels_last is not None and tensor.is_contiguous(memory_format=channels_last):
        return tensor
    return tensor.contiguous()


def plain(parameter: Tensor | None) -> Tensor | None:
    return None if parameter is None else parameter.contiguous()


def like(tensor: Tensor, other: Tensor) -> Tensor:
    """The tensor, laid out as a dense other one of its shape."""
    tensor = in_memory(tensor)
    if tensor.stride() == other.stride():
        return tensor
    return tensor.contiguous(
        memory_format=torch.contiguous_format
        if other.is_contiguous()
        else CHANNELS_LAST[other.dim()]
    )


def in_memory(tensor: Tensor) -> Tensor:
    """The tensor with its values where its address says: some are negated when they are read, or
    known to be 0.
    """
    if tensor.is_neg() or tensor._is_zerotensor():
        return tensor.resolve_neg().clone()
    return tensor


def address(tensor: Tensor | None) -> int:
    return 0 if tensor is None else tensor.data_ptr()
