"""Operands as the C++ reads them: dense, with their values in memory, by their addresses."""

from __future__ import annotations

import torch

from implementations.torch_formats import CHANNELS_LAST, memory_format_of

Tensor = torch.Tensor


def dense(tensor: Tensor) -> Tensor:
    """The tensor as it is where it is contiguous or channels_last, else a contiguous copy."""
    tensor = in_memory(tensor)
    return tensor.contiguous() if memory_format_of(tensor) is None else tensor


def plain(parameter: Tensor | None) -> Tensor | None:
    """A (C,) operand, contiguous in memory: itself where it is that already."""
    return None if parameter is None else parameter.resolve_neg().contiguous()


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
    """The tensor with its values in memory: PyTorch has tensors that are negated when they are
    read, or that are known to be 0 and have no memory.
    """
    if tensor.is_neg() or tensor._is_zerotensor():
        return tensor.resolve_neg().clone()
    return tensor


def address(tensor: Tensor | None) -> int:
    """Its first byte's, and 0 for an absent operand, as the C++ takes it. Raises RuntimeError for
    one that is there and has no memory, which would be taken for absent.
    """
    if tensor is None:
        return 0
    first = tensor.data_ptr()
    if not first:
        raise RuntimeError(
            "fused_cpu was given a tensor without memory, such as torch._efficientzerotensor "
            "makes; give it tensor.clone()"
        )
    return first
