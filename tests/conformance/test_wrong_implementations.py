"""The suite can fail: each wrong implementation is rejected by a named case, for the right
reason.
"""

from __future__ import annotations

import pytest
from plain_bn import Plugin
from wrong_bn import WRONG, Wrong

import harness
from harness.conformance.cases import matching
from harness.conformance.checks import check
from harness.records import Status
from tests.experiments.rejections import COLUMNS, REASON, Verdict, line, row, verdict
from tests.helpers.rejected import REJECTED, STEP, SURVIVING

MEASURED = (
    "biased running variance",
    "one-pass variance",
    "output in one buffer",
    "low bits at random with two threads",
    "no gradient through the mean",
    "wrong with two threads",
    "slope of ReLU at 0 is 1",
    "the first call's momentum",
)


@pytest.mark.parametrize(
    "case",
    [case for case in matching("*") if not case.name.startswith("errors/")],
    ids=lambda case: case.name,
)
def test_the_implementation_that_the_wrong_ones_are_made_of_is_right(case):
    assert verdict(Plugin(), case.name) is None
    assert list(check(Plugin(), case))


@pytest.mark.parametrize("wrong", REJECTED)
def test_a_wrong_implementation_is_rejected_for_the_right_reason(wrong):
    case, quantities, words = REJECTED[wrong]
    found = verdict(Wrong(wrong), case)
    assert found.quantities == quantities
    assert words in found.reason


def test_every_wrong_implementation_has_its_case_or_is_known_to_have_none():
    assert sorted([*REJECTED, *SURVIVING]) == sorted(WRONG)
    assert {case for case, _, _ in REJECTED.values()} <= {case.name for case in matching("*")}


@pytest.mark.parametrize(
    "case", ["data/large_mean", "data/very_large_mean/channels_last", "data/mean_1e6/float64"]
)
def test_a_one_pass_variance_is_rejected_wherever_the_mean_is_large(case):
    assert "running_var" in verdict(Wrong("one-pass variance"), case).quantities


@pytest.mark.parametrize(
    ("wrong", "case"),
    [
        ("one-pass variance", STEP),
        ("variance off by 8e-6", STEP),
        ("slope of ReLU at 0 is 1", STEP),
        ("float16 accumulation", STEP),
        ("wrong with two threads", "threads/1/contiguous/layer"),
        ("low bits at random with two threads", "repeats/same_bits/contiguous/one_thread"),
        ("wrong for misaligned input", "phases/forward_training/kernel/reused"),
    ],
)
def test_what_is_no_fault_on_an_ordinary_occasion_passes_there(wrong, case):
    assert verdict(Wrong(wrong), case) is None


@pytest.mark.parametrize("wrong", MEASURED)
def test_a_record_tells_what_is_wrong_and_where(wrong):
    case, quantities, words = REJECTED[wrong]
    (record,) = harness.check({"_target_": "wrong_bn.Wrong", "wrong": wrong}, cases=case, threads=1)
    assert record.status is Status.WRONG
    assert words in record.reason
    assert any(record.reason.startswith(quantity) for quantity in quantities)


def test_the_table_has_the_case_that_rejects_and_the_count():
    found = {
        "other": Verdict(frozenset(), "no"),
        "data/very_large_mean": Verdict(frozenset(), "a | b"),
    }
    cells = row("one-pass variance", found, 7)
    assert cells == ("one-pass variance", "`data/very_large_mean`", "a | b", "2 of 7")
    assert line(cells) == "| one-pass variance | `data/very_large_mean` | a \\| b | 2 of 7 |"
    long = row("one-pass variance", {"data/very_large_mean": Verdict(frozenset(), "x" * 999)}, 7)
    assert len(long[COLUMNS.index("reason")]) == REASON + 1


def test_the_table_hides_no_survivor():
    assert row("one-pass variance", {}, 7)[1] == "**nothing**"
    assert (
        row("one-pass variance", {"other": Verdict(frozenset(), "no")}, 7)[1]
        == "not by `data/very_large_mean`"
    )
