"""Tolerances let plain float32 pass on whatever data, and little more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_bn import Plugin

from harness.conformance.compare import compare_with_oracle, failure_summary
from harness.conformance.tolerances import bounds
from harness.problems.inputs import make_arrays
from implementations import oracle
from implementations.builtin.numpy_vectorized import NumpyVectorized
from implementations.builtin.torch_unfused import TorchUnfused
from implementations.interface import Phase, Problem, Results

PROBLEM = Problem((8, 6, 5, 5), activation="relu", residual=True)
problems = st.builds(
    Problem,
    st.tuples(st.integers(2, 40), st.integers(1, 9), st.integers(1, 30)),
    activation=st.sampled_from([None, "relu"]),
    residual=st.booleans(),
    weight=st.booleans(),
    bias=st.booleans(),
)


def results_of(implementation, problem, phase, arrays, face="layer"):
    prepared = implementation.prepare(problem, phase, face=face, outputs="fresh", arrays=arrays)
    prepared.arm(1)
    prepared()
    return prepared.results()


@settings(max_examples=100, deadline=None)
@given(
    problems,
    st.sampled_from(list(Phase)),
    st.integers(0, 10**6),
    st.sampled_from([0.0, 0.1, 10.0, 1e3, 1e4]),
    st.sampled_from([1e-3, 1.0, 1e3]),
)
def test_a_straightforward_float32_implementation_passes(problem, phase, seed, mean, scale):
    arrays = make_arrays(problem, seed, mean=mean, scale=scale)
    assert (
        failure_summary(
            compare_with_oracle(
                results_of(Plugin(), problem, phase, arrays), problem, phase, arrays
            )
        )
        is None
    )


@settings(max_examples=60, deadline=None)
@given(
    problems,
    st.sampled_from(
        [("float64", None), ("bfloat16", None), ("float16", None), ("bfloat16", "float32")]
    ),
    st.integers(0, 10**6),
)
def test_so_does_each_other_dtype(problem, dtypes, seed):
    problem = replace(problem, dtype=dtypes[0], parameter_dtype=dtypes[1])
    arrays = make_arrays(problem, seed)
    found = results_of(TorchUnfused(), problem, Phase.TRAINING_STEP, arrays)
    assert failure_summary(compare_with_oracle(found, problem, Phase.TRAINING_STEP, arrays)) is None


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
def test_an_error_of_a_few_units_in_the_last_place_is_seen(dtype):
    problem = replace(
        PROBLEM, dtype=dtype, parameter_dtype="float64" if dtype == "float64" else "float32"
    )
    arrays = make_arrays(problem, 0)
    found = results_of(TorchUnfused(), problem, Phase.INFERENCE, arrays)
    off = found.output.clone()
    place = divmod(int(off.abs().argmax()), problem.size // 8)
    off.view(8, -1)[place] *= 1 + 32 * torch.finfo(off.dtype).eps
    (wrong,) = [
        finding
        for finding in compare_with_oracle(
            replace(found, output=off), problem, Phase.INFERENCE, arrays
        )
        if not finding.passed
    ]
    assert wrong.quantity == "output"


def test_the_residual_s_gradient_and_statistics_at_inference_are_exact():
    arrays = make_arrays(PROBLEM, 0)
    exact = oracle.evaluate(PROBLEM, Phase.BACKWARD_INFERENCE, arrays)
    found = bounds(PROBLEM, Phase.BACKWARD_INFERENCE, arrays, exact)
    for none in (found.grad_residual, found.running_mean, found.running_var):
        assert not none.any()
    for some in (found.output, found.grad_input, found.grad_weight, found.grad_bias):
        assert (some > 0).all()


def test_a_large_mean_loosens_the_variance_by_the_condition_number_and_not_by_its_square():
    def relative(mean):
        arrays = make_arrays(PROBLEM, 0, mean=mean)
        exact = oracle.evaluate(PROBLEM, Phase.FORWARD_TRAINING, arrays)
        return float(
            np.median(
                bounds(PROBLEM, Phase.FORWARD_TRAINING, arrays, exact).running_var
                / exact.running_var
            )
        )

    assert relative(1e3) / relative(1e2) == pytest.approx(10, rel=0.2)


def test_data_of_low_precision_costs_one_rounding_of_the_output():
    problem = Problem((64, 3), "bfloat16", "float32")
    arrays = make_arrays(problem, 0)
    exact = oracle.evaluate(problem, Phase.INFERENCE, arrays)
    allowed = bounds(problem, Phase.INFERENCE, arrays, exact).output
    np.testing.assert_allclose(allowed, abs(exact.output) * 2.0**-8, rtol=0.01, atol=1e-5)


def test_overflow_to_infinity_is_right_where_float16_ends():
    problem = Problem((4, 1), "float16", "float32")
    arrays = make_arrays(problem, 0)
    arrays = replace(
        arrays,
        weight=torch.tensor([6e4]),
        running_mean=torch.zeros(1),
        running_var=torch.ones(1),
        bias=torch.zeros(1),
        input=torch.tensor([[3.0], [-3.0], [0.5], [0.0]], dtype=torch.float16),
    )
    output = torch.tensor([[torch.inf], [-torch.inf], [30000.0], [0.0]], dtype=torch.float16)
    right = Results(output, arrays.running_mean, arrays.running_var)
    wrong = replace(right, output=torch.where(output.isinf(), -output, output))
    assert failure_summary(compare_with_oracle(right, problem, Phase.INFERENCE, arrays)) is None
    assert failure_summary(compare_with_oracle(wrong, problem, Phase.INFERENCE, arrays)) is not None


def test_numpy_and_torch_are_judged_alike():
    arrays = make_arrays(PROBLEM, 0)
    for implementation in (NumpyVectorized(), TorchUnfused()):
        for face in ("layer", "kernel"):
            found = compare_with_oracle(
                results_of(implementation, PROBLEM, Phase.TRAINING_STEP, arrays, face),
                PROBLEM,
                Phase.TRAINING_STEP,
                arrays,
            )
            assert max(finding.ratio for finding in found) < 0.5


SIXTEEN = Problem((4, 5, 2, 2))
eights = st.builds(
    Problem,
    st.sampled_from([(8, 3), (2, 5, 4), (40, 1), (4, 19, 2, 3), (16, 7, 5, 5), (2, 3, 2, 2, 9)]),
    activation=st.sampled_from([None, "relu"]),
    residual=st.booleans(),
    weight=st.booleans(),
    bias=st.booleans(),
)


def judged(problem, phase, arrays, results, **keywords):
    return {
        finding.quantity: finding
        for finding in compare_with_oracle(results, problem, phase, arrays, **keywords)
    }


@settings(max_examples=80, deadline=None)
@given(
    eights,
    st.sampled_from(list(Phase)),
    st.integers(0, 10**6),
    st.sampled_from([0.0, 1.0, -64.0, 2.0**14, 2.0**20]),
    st.sampled_from([1e-5, 0.25]),
)
def test_two_passes_in_float32_are_right_of_a_ternary_input_whatever_its_mean(
    problem, phase, seed, mean, eps
):
    arrays = replace(make_arrays(problem, seed, distribution="ternary", mean=mean), eps=eps)
    results = results_of(Plugin(), problem, phase, arrays)
    assert (
        failure_summary(compare_with_oracle(results, problem, phase, arrays, representable=True))
        is None
    )


@settings(max_examples=30, deadline=None)
@given(eights, st.integers(0, 10**6), st.sampled_from(["float64", "bfloat16", "float16"]))
def test_so_are_they_in_other_dtypes(problem, seed, dtype):
    problem = replace(
        problem, dtype=dtype, parameter_dtype="float64" if dtype == "float64" else "float32"
    )
    arrays = make_arrays(problem, seed, distribution="ternary", mean=16.0)
    results = results_of(TorchUnfused(), problem, Phase.TRAINING_STEP, arrays)
    assert (
        failure_summary(
            compare_with_oracle(results, problem, Phase.TRAINING_STEP, arrays, representable=True)
        )
        is None
    )


@pytest.mark.parametrize("quantity", ["output", "grad_bias", "running_mean", "running_var"])
def test_of_a_ternary_input_an_error_of_32_ulp_is_seen(quantity):
    arrays = make_arrays(SIXTEEN, 0, distribution="ternary")
    results = results_of(Plugin(), SIXTEEN, Phase.TRAINING_STEP, arrays)
    off = getattr(results, quantity).clone()
    off.view(-1)[off.abs().argmax()] *= 1 + 32 * torch.finfo(off.dtype).eps
    found = judged(
        SIXTEEN,
        Phase.TRAINING_STEP,
        arrays,
        replace(results, **{quantity: off}),
        representable=True,
    )
    assert [name for name, finding in found.items() if not finding.passed] == [quantity]
    assert 16 < found[quantity].ulp <= 64


@pytest.mark.parametrize("mean", [64.0, 2.0**20])
def test_at_inference_it_is_seen_however_large_the_mean(mean):
    arrays = make_arrays(SIXTEEN, 0, distribution="ternary", mean=mean)
    results = results_of(Plugin(), SIXTEEN, Phase.BACKWARD_INFERENCE, arrays)
    off = results.grad_input * (1 + 32 * torch.finfo(torch.float32).eps)
    found = judged(
        SIXTEEN,
        Phase.BACKWARD_INFERENCE,
        arrays,
        replace(results, grad_input=off),
        representable=True,
    )
    assert [name for name, finding in found.items() if not finding.passed] == ["grad_input"]


def test_tolerances_of_representable_sums_do_not_grow_with_their_length():
    def allowed(problem, **keywords):
        arrays = make_arrays(problem, 0, distribution="ternary")
        exact = oracle.evaluate(problem, Phase.TRAINING_STEP, arrays)
        found = bounds(problem, Phase.TRAINING_STEP, arrays, exact, **keywords)
        return float(np.median(found.running_var / abs(exact.running_var)))

    short, long = Problem((8, 9)), Problem((32768, 9))
    assert allowed(long, representable=True) == pytest.approx(
        allowed(short, representable=True), rel=0.1
    )
    assert allowed(long) > 10 * allowed(short)
    assert allowed(long, representable=True) < allowed(long) / 10


def test_an_input_of_any_other_kind_needs_the_wider_tolerances():
    problem = Problem((4096, 4))
    arrays = make_arrays(problem, 0)
    results = results_of(Plugin(), problem, Phase.TRAINING_STEP, arrays)
    rough = replace(results, grad_bias=results.grad_bias + 1e-2)
    assert failure_summary(compare_with_oracle(rough, problem, Phase.TRAINING_STEP, arrays)) is None
    assert "grad_bias" in failure_summary(
        compare_with_oracle(rough, problem, Phase.TRAINING_STEP, arrays, representable=True)
    )
