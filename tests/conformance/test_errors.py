"""A known perturbation gives known errors, relative to the scale of the quantity that it is of."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from plain_bn import Plugin

from harness.conformance import compare
from harness.conformance.compare import compare_with_oracle
from harness.conformance.errors import ErrorSums, ErrorTotals, error_sums
from harness.problems.inputs import make_arrays
from harness.records import QuantityError
from implementations.interface import Arrays, Phase, Problem, Results, call_once

STEP = Phase.TRAINING_STEP
PROBLEM = Problem((4, 6, 5, 3), activation="relu")
FLOAT32 = torch.float32


def error(
    got: Any, exact: Any, *, dtype: torch.dtype = FLOAT32, chunks: int = 1
) -> QuantityError | None:
    """Of a quantity that comes in so many chunks; None where no element has an error."""
    pairs = zip(_split(got, chunks), _split(exact, chunks), strict=True)
    sums = sum((error_sums(one, other) for one, other in pairs), ErrorSums())
    return sums.relative(dtype) if sums.count else None


def _split(values: Any, chunks: int) -> list[NDArray[np.float64]]:
    return np.array_split(np.asarray(values, dtype=np.float64), chunks)


@pytest.mark.parametrize("chunks", [1, 2, 4])
def test_a_known_perturbation_gives_known_errors(chunks: int) -> None:
    exact = np.array([3.0, -3.0, 3.0, -3.0])
    found = error(exact + np.array([0.0, 0.3, 0.0, -0.6]), exact, chunks=chunks)
    assert found is not None
    assert found.scale == pytest.approx(3.0)
    assert found.rms == pytest.approx(math.sqrt((0.09 + 0.36) / 4) / 3)
    assert found.largest == pytest.approx(0.2)


@pytest.mark.parametrize(("dtype", "digits"), [(torch.float32, 23), (torch.bfloat16, 7)])
def test_the_largest_is_counted_in_ulp_of_the_dtype_at_the_scale(
    dtype: torch.dtype, digits: int
) -> None:
    exact = np.full(8, 5.0)  # between 4 and 8, where numbers are 4 units of the last digit apart
    off = exact.copy()
    off[3] += 3 * 4 * 2.0**-digits
    found = error(off, exact, dtype=dtype)
    assert found is not None
    assert found.ulp == pytest.approx(3.0)


numbers = st.floats(-1e3, 1e3, allow_nan=False)


@given(
    st.lists(st.tuples(numbers, numbers), min_size=1, max_size=20).filter(
        lambda pairs: any(abs(exact) > 1e-3 for _, exact in pairs)
    ),
    st.sampled_from([2.0**40, 2.0**-40, -1.0, 3.0, 1e200, 1e-200]),
)
def test_scaling_both_sides_leaves_relative_errors_alone(
    pairs: list[tuple[float, float]], factor: float
) -> None:
    got, exact = np.array(pairs).T
    before = error(got, exact, dtype=torch.float64)
    after = error(got * factor, exact * factor, dtype=torch.float64)
    assert before is not None
    assert after is not None
    # what multiplying rounds may be all of a small error
    rounding = 1e-14 * max(1.0, before.largest)
    assert after.rms == pytest.approx(before.rms, rel=1e-9, abs=rounding)
    assert after.largest == pytest.approx(before.largest, rel=1e-9, abs=rounding)
    assert after.scale == pytest.approx(before.scale * abs(factor), rel=1e-9)


def test_without_a_scale_errors_are_relative_to_the_least_normal_number() -> None:
    nothing = error(np.zeros(4), np.zeros(4))
    assert nothing == QuantityError(rms=0.0, largest=0.0, ulp=0.0, scale=0.0)
    tiny = torch.finfo(torch.float32).tiny
    found = error([0.0, 0.0, 0.0, 2 * tiny], np.zeros(4))
    assert found is not None
    assert (found.rms, found.largest) == (pytest.approx(1.0), pytest.approx(2.0))


@pytest.mark.parametrize("strange", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_has_no_error(strange: float) -> None:
    expected = error([1.0, 2.0], [1.0, 2.5])
    assert error([1.0, strange, 2.0], [1.0, strange, 2.5]) == expected
    assert error([1.0, strange, 2.0], [1.0, 7.0, 2.5]) == expected
    assert error([1.0, 7.0, 2.0], [1.0, strange, 2.5]) == expected
    assert error([strange], [1.0]) is None


@pytest.fixture(scope="module")
def arrays() -> Arrays:
    return make_arrays(PROBLEM, 0)


@pytest.fixture(scope="module")
def results(arrays: Arrays) -> Results:
    return call_once(
        Plugin().prepare(PROBLEM, STEP, face="layer", outputs="fresh", arrays=arrays)
    ).results()


def totals_of(results: Results, arrays: Arrays) -> ErrorTotals:
    totals = ErrorTotals(PROBLEM, STEP, arrays)
    compare_with_oracle(results, PROBLEM, STEP, arrays, errors=totals)
    return totals


def errors_of(results: Results, arrays: Arrays) -> dict[str, QuantityError]:
    return totals_of(results, arrays).errors()


def test_all_that_a_step_leaves_has_a_small_error(results: Results, arrays: Arrays) -> None:
    found = errors_of(results, arrays)
    names = ["output", "running_mean", "running_var", "grad_input", "grad_weight", "grad_bias"]
    assert list(found) == names
    assert all(0 < each.rms <= each.largest < 1e-6 for each in found.values())


def test_a_perturbed_result_has_the_error_of_its_perturbation(
    results: Results, arrays: Arrays
) -> None:
    off = replace(results, grad_weight=results.grad_weight * 1.01)
    found = errors_of(off, arrays)
    assert found["grad_weight"].rms == pytest.approx(0.01, rel=1e-3)
    assert found["grad_bias"] == errors_of(results, arrays)["grad_bias"]


def test_chunks_of_channels_add_up(
    monkeypatch: pytest.MonkeyPatch, results: Results, arrays: Arrays
) -> None:
    whole = errors_of(results, arrays)
    monkeypatch.setattr(compare, "CHUNK", 1)
    for name, each in errors_of(results, arrays).items():
        assert each.rms == pytest.approx(whole[name].rms)
        assert (each.largest, each.ulp) == pytest.approx((whole[name].largest, whole[name].ulp))


@pytest.mark.parametrize("chunk", [1, 1 << 20])
def test_an_element_on_the_other_side_of_relu_is_counted_and_its_gradient_is_an_error(
    monkeypatch: pytest.MonkeyPatch, results: Results, arrays: Arrays, chunk: int
) -> None:
    monkeypatch.setattr(compare, "CHUNK", chunk)
    place = tuple(results.output.nonzero()[0].tolist())
    output, grad_bias = results.output.clone(), results.grad_bias
    assert grad_bias is not None
    output[place] = 0.0  # and so is its gradient, in an arm that goes by its own mask
    missing = float(arrays.grad_output[place])
    own = grad_bias.clone()
    own[place[1]] -= missing
    totals = totals_of(replace(results, output=output, grad_bias=own), arrays)
    found = totals.errors()["grad_bias"]
    assert totals.flipped == 1
    assert found.largest == pytest.approx(abs(missing) / found.scale, rel=1e-4)
    assert totals_of(results, arrays).flipped == 0


@pytest.mark.parametrize(
    ("phase", "left"),
    [
        (Phase.FORWARD_TRAINING, {"output", "running_mean", "running_var"}),
        (Phase.BACKWARD, {"grad_input", "grad_weight", "grad_bias"}),
        (Phase.INFERENCE, {"output"}),
        (Phase.BACKWARD_INFERENCE, {"grad_input", "grad_weight", "grad_bias"}),
    ],
)
def test_only_what_a_phase_leaves_is_told(phase: Phase, left: set[str]) -> None:
    arrays = make_arrays(PROBLEM, 0)
    prepared = Plugin().prepare(PROBLEM, phase, face="layer", outputs="fresh", arrays=arrays)
    totals = ErrorTotals(PROBLEM, phase, arrays)
    compare_with_oracle(call_once(prepared).results(), PROBLEM, phase, arrays, errors=totals)
    assert set(totals.errors()) == left
