"""The tensors of a problem: by name, and compared bit for bit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

import torch

from implementations.interface import Arrays, Results

INTEGERS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}  # by their bytes


def named_tensors(operands: Arrays | Results | Mapping[str, object]) -> dict[str, torch.Tensor]:
    """Those that there are, by name; what is absent, or no tensor, is left out."""
    named = (
        operands
        if isinstance(operands, Mapping)
        else {field.name: getattr(operands, field.name) for field in fields(operands)}
    )
    return {name: value for name, value in named.items() if isinstance(value, torch.Tensor)}


def same_bits(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether two tensors are alike to the bit, the signs of zeros and the payloads of NaN among
    them, wherever they are and however they lie in memory.
    """
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    return torch.equal(integers(one), integers(other.to(one.device)))


def integers(tensor: torch.Tensor) -> torch.Tensor:
    """The same memory, seen as integers of the same width: NaN is then like NaN, and 0 unlike
    -0.
    """
    return tensor.detach().view(INTEGERS[tensor.element_size()])
