"""Tensors that nobody may have changed: a snapshot before, a comparison bit for bit after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import inf

import torch

from harness.conformance.compare import QuantityCheck
from harness.problems.tensors import same_bits

Tensor = torch.Tensor


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
