"""How much memory a problem's own operands take, before any implementation takes its share."""

from __future__ import annotations

from math import prod

from harness.records import Bytes
from implementations.interface import Problem

ITEM_BYTES = {"float16": 2, "bfloat16": 2, "float32": 4, "float64": 8}


def operand_bytes(problem: Problem) -> Bytes:
    """The least that the operands of the input's shape take: the input, the gradient of the output
    and the residual.
    """
    operands = 3 if problem.residual else 2
    return Bytes(operands * prod(problem.shape) * ITEM_BYTES[problem.dtype])
