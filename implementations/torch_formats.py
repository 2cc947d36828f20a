"""The contract's names of dtypes and memory formats, and PyTorch's own objects for them."""

from __future__ import annotations

import torch

from implementations.problem import DTYPES

DTYPE_NAMES = {getattr(torch, name): name for name in DTYPES}
CHANNELS_LAST = {4: torch.channels_last, 5: torch.channels_last_3d}  # by rank


def memory_format_of(tensor: torch.Tensor) -> torch.memory_format | None:
    """The format that a tensor is dense in, of shape (N, C, *spatial); None where it has gaps or
    another order. What is dense in both, such as a single channel, is contiguous.
    """
    if tensor.is_contiguous():
        return torch.contiguous_format
    channels_last = CHANNELS_LAST.get(tensor.dim())
    if channels_last is not None and tensor.is_contiguous(memory_format=channels_last):
        return channels_last
    return None
