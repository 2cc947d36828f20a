"""Where two curves of float32 losses part, and by how much."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import zip_longest
from typing import NamedTuple

# of a float32's bits; from infinity on they are no finite number
SIGN, INFINITY = (1 << 31, 0x7F800000)


class Difference(NamedTuple):
    """The first step, counted from 1, at which two curves differ; ``ulps`` apart, None where only
    one still has a loss.
    """

    step: int
    ulps: int | None


def first_difference(losses: Sequence[float], others: Sequence[float]) -> Difference | None:
    """Where two curves of float32 losses, one value a step, first differ; None where they never do.

    A curve that ends earlier, since its run diverged, differs there. +0 and -0 are alike. Raises
    ValueError as ``ulps``.
    """
    for step, (loss, other) in enumerate(zip_longest(losses, others), 1):
        if loss is None or other is None:
            return Difference(step, None)
        if apart := ulps(loss, other):
            return Difference(step, apart)
    return None


def ulps(a: float, b: float) -> int:
    """How many float32 numbers on from one of two the other is, in units in the last place; -0 and
    +0 are 0 apart.

    Numbers that are no float32 count as the nearest one. Raises ValueError for what is not finite
    in float32.
    """
    return abs(_ordinal(a) - _ordinal(b))


def _ordinal(value: float) -> int:
    """The place of a float32 in the order of all of them, 0 for zero.

    Its bits are sign and magnitude, and read as an integer the magnitude keeps the order (Dawson
    2012, "Comparing floating point numbers").
    """
    try:
        bits = int.from_bytes(struct.pack(">f", value))
    except OverflowError:
        bits = INFINITY
    if bits & ~SIGN >= INFINITY:
        raise ValueError(
            f"{value} has no units in the last place; allowed: numbers that are finite in float32"
        )
    return SIGN - bits if bits & SIGN else bits
