"""Tensors that nobody may have changed: a snapshot before, a comparison bit for bit after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from math import inf
from typing import Any

import torch

from harness.conformance.compare import QuantityCheck

Tensor = torch.Tensor


def tensors(operands: Any) -> dict[str, Tensor]:
    """The tensors of a dataclass or of a mapping, by name."""
    named = (
        operands
        if isinstance(operands, Mapping)
        else {field.name: getattr(operands, field.name) for field in fields(operands)}
    )
    return {name: value for name, value in named.items() if isinstance(value, Tensor)}


def snapshot(named: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in named.items()}


def changed(
    before: Mapping[str, Tensor], after: Mapping[str, Tensor], fault: str = "was changed"
) -> Iterator[QuantityCheck]:
    """One finding for each tensor of ``before`` whose bits are others in ``after``."""
    return (
        QuantityCheck(name, inf, fault=fault)
        for name, tensor in before.items()
        if not same_bits(tensor, after[name])
    )


def same_bits(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors are alike to the bit, the signs of zeros and the payloads of NaN among
    them.
    """
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    return torch.equal(_bytes(one), _bytes(other))


def _bytes(tensor: Tensor) -> Tensor:
    # with a stride of 1, which a tensor of one element need not have
    flat = torch.empty(tensor.numel(), dtype=tensor.dtype)
    return flat.copy_(tensor.detach().flatten()).view(torch.uint8)
