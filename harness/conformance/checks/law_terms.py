"""What the laws draw and compare."""

from __future__ import annotations

import torch
from hypothesis import strategies as st

from harness.conformance.checks.examples import Answer
from harness.conformance.compare import QuantityCheck
from implementations import oracle
from implementations.interface import Arrays

SEEDS = st.integers(0, 2**16)
QUARTERS = st.integers(-256, 256).map(lambda quarters: quarters / 4)
GRADIENTS = ("grad_input", "grad_weight", "grad_bias")
STATISTICS = ("running_mean", "running_var")


def weight_of(arrays: Arrays) -> torch.Tensor:
    """The weight, where a law that needs one is tried."""
    if arrays.weight is None:
        raise TypeError("this law is about a weight; try it on a problem that has one")
    return arrays.weight


def scaled_sum(
    name: str,
    whole: Answer,
    scaled: tuple[float, Answer],
    added: Answer | oracle.Array | float = 0.0,
) -> QuantityCheck:
    """A quantity is a times that of another answer, plus that of a third, or plain numbers."""
    a, part = scaled
    more, tolerance = (
        (added.values(name), added.allowed(name)) if isinstance(added, Answer) else (added, 0.0)
    )
    return whole.found(
        name,
        whole.values(name),
        a * part.values(name) + more,
        whole.allowed(name) + abs(a) * part.allowed(name) + tolerance,
    )
