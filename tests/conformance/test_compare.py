"""What a comparison tells: which element is worst, and every way in which a quantity can be wrong
without a number.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from plain_bn import Plugin

from harness.conformance import compare
from harness.conformance.compare import QuantityCheck, compare_with_oracle, failure_summary, spacing
from harness.conformance.tolerances import blurred
from harness.problems.inputs import make_arrays
from implementations.interface import Arrays, Phase, Problem, Results

STEP = Phase.TRAINING_STEP
PROBLEM = Problem((4, 6, 5, 3), memory_format="channels_last", activation="relu", residual=True)


@pytest.fixture(scope="module")
def arrays():
    return make_arrays(PROBLEM, 0)


@pytest.fixture(scope="module")
def results(arrays):
    prepared = Plugin().prepare(PROBLEM, STEP, face="layer", outputs="fresh", arrays=arrays)
    prepared.arm(1)
    prepared()
    return prepared.results()


def found(results, arrays, **keywords):
    return {
        finding.quantity: finding
        for finding in compare_with_oracle(results, PROBLEM, STEP, arrays, **keywords)
    }


def test_every_quantity_is_judged_once(results, arrays):
    assert list(found(results, arrays)) == [
        "output",
        "running_mean",
        "running_var",
        "grad_input",
        "grad_residual",
        "grad_weight",
        "grad_bias",
    ]
    assert all(finding.passed for finding in found(results, arrays).values())


def test_the_worst_element_is_named_by_its_index_in_the_tensor(results, arrays):
    off = results.grad_input.clone()
    expected = float(off[2, 4, 1, 2])
    off[2, 4, 1, 2] += 1.0
    wrong = found(replace(results, grad_input=off), arrays)["grad_input"]
    assert wrong.index == (2, 4, 1, 2)
    assert wrong.got - wrong.expected == pytest.approx(1.0, rel=1e-4)
    assert wrong.expected == pytest.approx(expected, rel=1e-4)
    assert not wrong.passed
    assert "grad_input[2, 4, 1, 2]" in str(wrong)


def test_the_worst_channel_of_a_parameter_s_gradient_is_named(results, arrays):
    off = results.grad_weight.clone()
    off[3] *= 1.01
    assert found(replace(results, grad_weight=off), arrays)["grad_weight"].index == (3,)


@pytest.mark.parametrize("chunk", [1, 130, 1 << 20])
def test_channels_held_against_the_oracle_a_few_at_a_time_tell_the_same(
    monkeypatch, results, arrays, chunk
):
    whole = found(results, arrays)
    monkeypatch.setattr(compare, "CHUNK", chunk)
    assert found(results, arrays) == whole


def test_only_the_given_channels_are_looked_at(results, arrays):
    off = results.output.clone()
    off[0, 4] += 1
    assert found(replace(results, output=off), arrays, channels=[0, 5, 2])["output"].passed
    wrong = found(replace(results, output=off), arrays, channels=[0, 5, 4])["output"]
    assert (wrong.passed, wrong.index[1]) == (False, 4)


@pytest.mark.parametrize(
    ("quantity", "spoil", "message"),
    [
        ("grad_bias", lambda tensor: None, "is missing"),
        (
            "grad_weight",
            lambda tensor: tensor.double(),
            "is torch.float64 (6,); it should be torch.float32 (6,)",
        ),
        (
            "output",
            lambda tensor: tensor[:2],
            "is torch.float32 (2, 6, 5, 3); it should be torch.float32 (4, 6, 5, 3)",
        ),
        ("grad_input", lambda tensor: tensor.contiguous(), "it should be torch.channels_last"),
        ("running_mean", lambda tensor: tensor.reshape(1, -1), "it should be torch.float32 (6,)"),
    ],
)
def test_a_quantity_of_the_wrong_kind_is_told_as_such_and_the_rest_is_judged(
    results, arrays, quantity, spoil, message
):
    judged = found(replace(results, **{quantity: spoil(getattr(results, quantity))}), arrays)
    assert message in judged[quantity].fault
    assert [name for name, finding in judged.items() if not finding.passed] == [quantity]


def test_gradients_where_there_should_be_none_are_a_fault(results, arrays):
    judged = compare_with_oracle(results, PROBLEM, Phase.FORWARD_TRAINING, arrays)
    assert [finding.quantity for finding in judged if not finding.passed] == [
        "grad_input",
        "grad_residual",
        "grad_weight",
        "grad_bias",
    ]
    assert "should be none" in failure_summary(judged)


def test_running_statistics_are_not_judged_where_the_forward_is_no_part_of_the_work(
    results, arrays
):
    off = replace(results, running_mean=results.running_mean + 1)
    assert not failure_summary(compare_with_oracle(off, PROBLEM, Phase.BACKWARD, arrays))
    assert failure_summary(compare_with_oracle(off, PROBLEM, STEP, arrays))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_where_it_should_be_fails(results, arrays, value):
    off = results.output.clone()
    off[1, 2, 3, 0] = value
    wrong = found(replace(results, output=off), arrays)["output"]
    assert (wrong.passed, wrong.ratio, wrong.index) == (False, math.inf, (1, 2, 3, 0))


def test_a_number_where_nan_should_be_fails(results, arrays):
    broken = arrays.input.clone()
    broken[:, 1] = math.nan
    judged = found(results, replace(arrays, input=broken))
    assert (judged["output"].passed, judged["output"].index[1]) == (False, 1)


NEAR_ZERO = Problem((4, 1), activation="relu")


def near_zero(output, mask):
    """A z of 0, 0, 2, 2 but for rounding, in frozen statistics; gradients as the mask has them."""

    def column(values):
        return torch.tensor(values, dtype=torch.float32).reshape(-1, 1)

    arrays = Arrays(
        column([1, 1, 3, 3]),
        column([5, 6, 7, 8]),
        None,
        torch.ones(1),
        torch.full((1,), 2e-8),
        torch.ones(1),
        torch.ones(1),
        eps=0.0,
    )
    dz = column([5, 6, 7, 8]) * column(mask)
    normalized = column([0, 0, 2, 2])
    results = Results(
        column(output),
        arrays.running_mean,
        arrays.running_var,
        dz.clone(),
        None,
        (dz * normalized).sum(0),
        dz.sum(0),
    )
    return {
        finding.quantity
        for finding in compare_with_oracle(results, NEAR_ZERO, Phase.BACKWARD_INFERENCE, arrays)
        if not finding.passed
    }


def test_either_side_of_zero_is_right_where_rounding_decides_it():
    assert near_zero([2e-8, 2e-8, 2, 2], [1, 1, 1, 1]) == set()
    assert near_zero([0, 0, 2, 2], [0, 0, 1, 1]) == set()
    assert near_zero([0, 2e-8, 2, 2], [0, 1, 1, 1]) == set()


def test_gradients_must_fit_the_output_s_own_side_of_zero():
    assert near_zero([0, 0, 2, 2], [1, 1, 1, 1]) == {"grad_input", "grad_bias"}


def test_a_mask_that_is_wrong_beyond_rounding_shows_in_the_output():
    assert "output" in near_zero([0, 0, 0, 2], [0, 0, 0, 1])
    assert "output" in near_zero([0, 1e-3, 2, 2], [0, 1, 1, 1])


def test_a_fault_does_not_pass_and_a_ratio_passes_up_to_one():
    assert not QuantityCheck("output", fault="is missing").passed
    assert [
        QuantityCheck("output", ratio).passed for ratio in (0.0, 1.0, 1.001, math.inf, math.nan)
    ] == [True, True, False, False, False]


def test_failures_are_told_worst_first_and_not_all_of_many():
    many = [QuantityCheck(f"q{ratio}", ratio) for ratio in (0.5, 3.0, 7.0, 2.0, 5.0)]
    assert failure_summary(many[:1]) is None
    text = failure_summary(many)
    assert text.index("q7.0") < text.index("q5.0") < text.index("q3.0")
    assert text.endswith("; and 1 more")


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
@pytest.mark.parametrize("value", [1.0, 1.5, 2.0, 3.1e-3, 1e-7, 0.0])
def test_spacing_is_that_of_the_dtype(dtype, value):
    known = max(np.spacing(abs(dtype(value))), np.finfo(dtype).smallest_subnormal)
    assert spacing(float(dtype(value)), getattr(torch, dtype.__name__)) / float(
        known
    ) == pytest.approx(1.0, rel=1e-15)


LINEAR = Problem((8, 6, 5, 5))


def computed(arrays, problem=LINEAR):
    prepared = Plugin().prepare(problem, STEP, face="layer", outputs="fresh", arrays=arrays)
    prepared.arm(1)
    prepared()
    return prepared.results()


def mistrusted(mean, problem=LINEAR, **keywords):
    """What is compared in vain of a right implementation, on input of that mean."""
    arrays = make_arrays(problem, 0, mean=mean, **keywords)
    judged = compare_with_oracle(computed(arrays, problem), problem, STEP, arrays)
    assert failure_summary(judged) is None
    return {finding.quantity for finding in judged if finding.mistrusted}


def test_comparisons_are_mistrusted_where_the_mean_blurs_them_one_after_the_other():
    assert mistrusted(0.0) == mistrusted(1e3) == set()
    assert mistrusted(1e5) == {"output", "grad_input", "grad_weight"}
    assert mistrusted(1e6) == {"output", "grad_input", "grad_weight", "running_var"}


def test_the_same_mean_is_trusted_in_float64():
    assert mistrusted(1e6, replace(LINEAR, dtype="float64", parameter_dtype="float64")) == set()


def test_tolerances_below_the_least_normal_number_are_trusted_however_small_the_values():
    assert mistrusted(0.0, scale=1e-39) == set()


def test_a_mistrusted_comparison_may_still_fail():
    arrays = make_arrays(LINEAR, 0, mean=1e6)
    right = computed(arrays)
    judged = compare_with_oracle(replace(right, output=right.output + 1e3), LINEAR, STEP, arrays)
    assert [(finding.quantity, finding.mistrusted) for finding in judged if not finding.passed] == [
        ("output", True)
    ]


def test_one_blurred_chunk_of_channels_is_enough_for_mistrust(monkeypatch):
    arrays = make_arrays(LINEAR, 0)
    arrays.input[:, 4] += 1e6
    monkeypatch.setattr(compare, "CHUNK", LINEAR.reduction)
    assert "output" in {
        finding.quantity
        for finding in compare_with_oracle(computed(arrays), LINEAR, STEP, arrays)
        if finding.mistrusted
    }


def test_what_tolerates_more_than_half_is_blurred():
    values, least = np.array([3.0, -4.0]), 1e-38
    assert not blurred(values, np.array([0.0, 2.4]), least)
    assert blurred(values, np.array([0.0, 2.6]), least)
    assert not blurred(values, values * 0.49, least)
    assert blurred(values, np.array([1.53, 2.04]), least)


def test_where_there_is_nothing_to_lose_nothing_is_blurred():
    assert not blurred(np.zeros(3), np.zeros(3), 1e-38)
    assert not blurred(np.empty(0), np.empty(0), 1e-38)
    assert blurred(np.zeros(3), np.full(3, 1e-6), 1e-38)


def test_subnormal_tolerances_and_channels_of_nan_or_infinity_do_not_blur():
    assert not blurred(np.zeros(3), np.full(3, 1e-39), 1.2e-38)
    assert blurred(np.zeros(3), np.full(3, 1.3e-38), 1.2e-38)
    assert not blurred(
        np.array([1.0, math.nan, math.inf, 0.0]), np.array([0.1, 9.0, 9.0, math.nan]), 1e-38
    )
