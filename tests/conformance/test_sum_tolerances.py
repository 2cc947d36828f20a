"""Where terms cancel, many units in the last place of a sum are right; a missing term is not.

PyTorch's weight gradient at 16×100×28×9 in channels_last is off by tens of units in the last place
on one thread, and its float16 output at 2×128 with a residual by a dozen. These are roundings of
the terms, which are larger than what is left of them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from harness.conformance.compare import compare_with_oracle, spacing
from harness.conformance.tolerances import bounds
from harness.problems.inputs import make_arrays
from implementations import oracle
from implementations.builtin.torch_unfused import TorchUnfused
from implementations.interface import Phase, Problem, call_once

SUMS = Problem((16, 100, 28, 9), memory_format="channels_last")
NARROW = Problem((2, 128), "float16", "float32", residual=True)


@pytest.mark.parametrize("name", ["grad_bias", "grad_weight"])
def test_the_largest_term_that_is_missing_from_a_sum_of_thousands_is_seen(name):
    arrays = make_arrays(SUMS, 0)
    prepared = TorchUnfused().prepare(
        SUMS, Phase.TRAINING_STEP, face="layer", outputs="fresh", arrays=arrays
    )
    results = call_once(prepared).results()
    exact = oracle.evaluate(SUMS, Phase.TRAINING_STEP, arrays, channels=[0])
    terms = abs(exact.grad_z) * (1 if name == "grad_bias" else abs(exact.normalized))
    found = getattr(results, name).clone()
    found[0] -= float(terms.max())
    (wrong,) = [
        finding
        for finding in compare_with_oracle(
            replace(results, **{name: found}), SUMS, Phase.TRAINING_STEP, arrays, [0]
        )
        if not finding.passed
    ]
    assert wrong.quantity == name


def test_a_float16_output_is_held_to_two_roundings_of_its_terms():
    arrays = make_arrays(NARROW, 1)
    exact = oracle.evaluate(NARROW, Phase.FORWARD_TRAINING, arrays)
    allowed = bounds(NARROW, Phase.FORWARD_TRAINING, arrays, exact).output
    terms = abs(exact.affine) + abs(exact.residual) + abs(exact.bias)
    roundings = [spacing(term, torch.float16) for term in terms.ravel()]
    assert (allowed.ravel() <= 2 * np.array(roundings)).all()
