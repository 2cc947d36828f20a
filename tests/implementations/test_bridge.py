"""A bridge carries arrays of another library, also where these cannot be changed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from harness.conformance.compare import compare_with_oracle, failure_summary
from harness.problems.inputs import make_arrays
from implementations import Unsupported
from implementations.adapters import from_functions
from implementations.builtin import numpy_vectorized
from implementations.interface import Phase, Problem, call_once

PROBLEM = Problem((4, 3, 5, 6), activation="relu", residual=True)


def prepared(make, phase=Phase.TRAINING_STEP, face="kernel", outputs="fresh"):
    arrays = make_arrays(PROBLEM, 0)
    return make().prepare(PROBLEM, phase, face=face, outputs=outputs, arrays=arrays)


def test_a_bridge_carries_the_arrays_of_another_library():
    seen = []

    def forward(input, *others, **keywords):
        seen.append(type(input))
        return numpy_vectorized.forward(input, *others, **keywords)

    make = from_functions(forward, numpy_vectorized.backward, bridge=numpy_vectorized.NUMPY)
    results = call_once(prepared(make)).results()
    assert (
        failure_summary(
            compare_with_oracle(results, PROBLEM, Phase.TRAINING_STEP, make_arrays(PROBLEM, 0))
        )
        is None
    )
    assert seen == [np.ndarray]
    assert make().shares_memory


@pytest.mark.parametrize("face", ["layer", "kernel"])
@pytest.mark.parametrize("phase", Phase)
def test_where_arrays_are_immutable_a_forward_returns_new_statistics(phase, face):
    def frozen(tensor):
        array = numpy_vectorized.to_native(tensor).view()
        array.flags.writeable = False
        return array

    def forward(input, residual, weight, bias, mean, var, options, out=None):
        new = (mean.copy(), var.copy())
        made = numpy_vectorized.forward(input, residual, weight, bias, new[0], new[1], options)
        return (*made, new)

    bridge = replace(numpy_vectorized.NUMPY, to_native=frozen, immutable=True)
    make = from_functions(forward, numpy_vectorized.backward, bridge=bridge)
    ready, arrays = prepared(make, phase, face), make_arrays(PROBLEM, 0)
    for _ in range(2):  # the second call begins with the given statistics again
        found = compare_with_oracle(call_once(ready).results(), PROBLEM, phase, arrays)
        assert failure_summary(found) is None
    if face == "kernel":
        with pytest.raises(Unsupported, match="arrays cannot be written to"):
            prepared(make, phase, outputs="reused")


def test_new_statistics_go_on_from_call_to_call():
    def forward(input, residual, weight, bias, mean, var, options, out=None):
        made = numpy_vectorized.forward(input, residual, weight, bias, None, None, options)
        return (*made, (mean + 1, var * 2))

    bridge = replace(numpy_vectorized.NUMPY, immutable=True)
    ready = prepared(from_functions(forward, numpy_vectorized.backward, bridge=bridge))
    before = make_arrays(PROBLEM, 0)
    ready.arm(2)
    ready(), ready()
    torch.testing.assert_close(ready.results().running_mean, before.running_mean + 2)
    torch.testing.assert_close(ready.results().running_var, before.running_var * 4)
