"""The suite can fail: each wrong implementation is rejected by a named case, for the right reason."""

from __future__ import annotations

import pytest
from wrong_bn import WRONG, Plugin, Wrong, WrongTheSecondTime

import harness
from harness.conformance.cases import CASES, named
from harness.conformance.runner import check
from harness.records import Status

GRADIENTS = {"grad_input", "grad_residual", "grad_weight", "grad_bias"}
STEP = "phases/training_step,layer,fresh"
STATISTICS = {"running_mean", "running_var"}
REJECTED = {
    "biased running variance": (STEP, {"running_var"}),
    "swapped momentum": (STEP, STATISTICS),
    "statistics not updated": (STEP, STATISTICS),
    "statistics updated at inference": ("phases/inference,layer,fresh", STATISTICS),
    "eps outside the root": ("data/variance_below_eps", {"output", "grad_input", "grad_weight"}),
    "mask missing in backward": (STEP, GRADIENTS),
    "mask shifted in backward": ("phases/backward,kernel,fresh", GRADIENTS),
    "residual's gradient unmasked": (STEP, {"grad_residual"}),
    "one-pass variance": ("data/very_large_mean", {"output", "running_var", "grad_input", "grad_weight"}),
    "wrong channel axis in channels_last": ("layouts/channels_last,layer,fresh",
                                            {"output", "grad_input", "grad_weight"} | STATISTICS),
    "wrong for odd tails": ("phases/forward_training,kernel,reused", {"output"} | STATISTICS),
    "NaN leaks into the next channel": ("data/nan_in_one_channel", {"output", "running_mean", "grad_input"}),
    "mutated input": ("phases/inference,kernel,fresh", {"output", "input"}),
    "no gradient of the weight": ("strided/sliced", {"weight.grad"}),
    "n - 1 in the batch's variance": (STEP, {"output", "running_var", "grad_input", "grad_weight"}),
}


def failed(implementation, case):
    return {finding.quantity for finding in check(implementation, named(case)) if not finding.passed}


@pytest.mark.parametrize("name", [case.name for case in CASES if not case.name.startswith(("errors/", "dtypes/"))])
def test_the_implementation_that_the_wrong_ones_are_made_of_is_right(name):
    findings = list(check(Plugin(), named(name)))
    assert [str(finding) for finding in findings if not finding.passed] == []
    assert findings


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_implementation_is_rejected_for_the_right_reason(wrong):
    case, quantities = REJECTED[wrong]
    assert failed(Wrong(wrong), case) == quantities


@pytest.mark.parametrize("case", ["data/large_mean", "data/very_large_mean,channels_last"])
def test_a_one_pass_variance_is_rejected_wherever_the_mean_is_large(case):
    assert "running_var" in failed(Wrong("one-pass variance"), case)


def test_a_one_pass_variance_is_no_fault_where_it_loses_nothing():
    assert failed(Wrong("one-pass variance"), STEP) == set()


def test_the_second_call_is_judged_too():
    assert failed(WrongTheSecondTime(), STEP) == {
        f"the second call's {quantity}" for quantity in GRADIENTS | {"output"}}
    assert failed(WrongTheSecondTime(), "samples/rank_3") == {"output"}


def test_an_operand_that_is_changed_between_calls_is_noticed_in_plain_calls():
    assert "input" in failed(Wrong("mutated input"), "samples/rank_3")


def test_a_record_tells_what_is_wrong_and_where():
    (record,) = harness.check({"_target_": "wrong_bn.Wrong", "wrong": "biased running variance"}, cases=STEP, threads=1)
    assert record.status is Status.WRONG
    assert record.reason.startswith("running_var[")
    assert "× its tolerance" in record.reason
