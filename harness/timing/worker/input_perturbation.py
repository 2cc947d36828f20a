"""Inputs changed in place between an arm's calls, and put back to the bit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch

from implementations.interface import Arrays

CHANGING = ("input", "grad_output", "residual")


@contextmanager
def changed_in_place(arrays: Arrays, names: Sequence[str] = CHANGING) -> Iterator[None]:
    """Inside the block, data are -2 times what they were, which is exact and exactly undone.

    No result stays as it was but dresidual's zeros; a change of sign alone would leave dweight and
    the variance. The change goes through ``data``, past autograd's count of versions, which would
    warn an arm that a result kept from before is of no use.
    """
    operands = [operand.data for name in names if (operand := getattr(arrays, name)) is not None]
    factors = [_factor(operand) for operand in operands]
    for operand, factor in zip(operands, factors, strict=True):
        operand.mul_(factor)
    try:
        yield
    finally:
        for operand, factor in zip(operands, factors, strict=True):
            operand.mul_(1 / factor)


def _factor(operand: torch.Tensor) -> float:
    """-2, or -1 where doubling would overflow."""
    largest = max(abs(float(end)) for end in operand.aminmax())
    return -2.0 if 2 * largest <= torch.finfo(operand.dtype).max else -1.0
