"""Cases on numbers of channels with and without fast paths, by a pairwise design.

Kernels take other paths for multiples of 4, 8, 16, 32 and 64 channels than for what is left over,
and each path has its own handling of layouts, NaN and operands. Every number of channels is asked
in both layouts with and without ReLU, and of all factors every pair of levels occurs in some row,
as in orthogonal arrays, so that the rows stay few. NaN and infinity are filled in after the usual
calls.
"""

from __future__ import annotations

from typing import NamedTuple

from harness.conformance.cases.kinds import NumbersCase
from implementations.interface import MEMORY_FORMATS, Face, Outputs, Phase, Problem

# A batch and its space: a few values, an odd number of them, whole vectors, more than a cache holds
PLANES = ((2, 2, 2), (4, 7, 9), (3, 16, 16), (2, 33, 40))
WAYS: tuple[tuple[Phase, Face, Outputs], ...] = (
    (Phase.TRAINING_STEP, "layer", "fresh"),
    (Phase.TRAINING_STEP, "kernel", "reused"),
    (Phase.INFERENCE, "kernel", "reused"),
    (Phase.BACKWARD_INFERENCE, "layer", "fresh"),
)
# Residual, weight, bias: present or not.
PARTS = ((False, True, True), (True, True, True), (False, False, False), (True, False, True))
# Of the rows without ReLU; those with it are float32, which most fast paths are written for.
LINEAR_DTYPES = (
    ("float32", "float32"),
    ("float64", "float64"),
    ("bfloat16", "float32"),
    ("float32", "float32"),
)


class Row(NamedTuple):
    """A level of each factor, as a place in the tables above."""

    channels: int
    layout: int
    relu: int
    plane: int
    way: int
    dtype: int
    parts: int
    offset: int


# Found by exchanging levels at random until every pair was there.
DESIGN = (
    Row(16, 0, 0, 1, 2, 0, 0, 0),
    Row(16, 0, 1, 2, 1, 1, 3, 1),
    Row(16, 1, 0, 0, 0, 2, 2, 1),
    Row(16, 1, 1, 3, 3, 3, 1, 1),
    Row(32, 0, 0, 3, 0, 3, 0, 0),
    Row(32, 0, 1, 1, 2, 0, 2, 1),
    Row(32, 1, 0, 2, 1, 1, 1, 1),
    Row(32, 1, 1, 0, 3, 2, 3, 0),
    Row(128, 0, 0, 3, 2, 2, 1, 0),
    Row(128, 0, 1, 2, 1, 3, 2, 0),
    Row(128, 1, 0, 0, 0, 1, 3, 0),
    Row(128, 1, 1, 1, 3, 0, 0, 1),
    Row(24, 0, 0, 2, 3, 0, 3, 1),
    Row(24, 0, 1, 3, 2, 1, 2, 1),
    Row(24, 1, 0, 0, 1, 3, 0, 1),
    Row(24, 1, 1, 1, 0, 2, 1, 0),
    Row(12, 0, 0, 2, 1, 2, 0, 0),
    Row(12, 0, 1, 0, 3, 0, 1, 0),
    Row(12, 1, 0, 3, 0, 3, 2, 1),
    Row(12, 1, 1, 1, 2, 1, 3, 0),
    Row(21, 0, 0, 1, 1, 2, 2, 0),
    Row(21, 0, 1, 2, 2, 3, 3, 0),
    Row(21, 1, 0, 0, 0, 0, 0, 1),
    Row(21, 1, 1, 3, 3, 1, 1, 1),
    Row(67, 0, 0, 1, 3, 3, 2, 1),
    Row(67, 0, 1, 2, 0, 1, 0, 0),
    Row(67, 1, 0, 0, 2, 2, 1, 0),
    Row(67, 1, 1, 3, 1, 0, 3, 1),
)


def _case(row: Row) -> NumbersCase:
    batch, *space = PLANES[row.plane]
    phase, face, outputs = WAYS[row.way]
    residual, weight, bias = PARTS[row.parts]
    dtype, parameter_dtype = LINEAR_DTYPES[0 if row.relu else row.dtype]
    layout, activation = MEMORY_FORMATS[row.layout], "relu" if row.relu else None
    problem = Problem(
        (batch, row.channels, *space),
        dtype,
        parameter_dtype,
        layout,
        activation,
        residual,
        weight,
        bias,
    )
    return NumbersCase(
        f"channels/{row.channels}/{layout}/{activation or 'linear'}",
        problem,
        phase,
        face,
        outputs,
        offset=row.offset,
        refills=("nan", "inf"),
    )


CHANNELS = tuple(map(_case, DESIGN))
