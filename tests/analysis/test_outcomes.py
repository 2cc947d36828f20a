"""Each status is one of three: measured, failed, or refused."""

from __future__ import annotations

import pytest

from harness.analysis.outcomes import ALL_OUTCOMES, FAILED, REFUSED, Qualified, outcome_label
from harness.records import Status
from tests.helpers.synthetic import case


def test_each_status_is_ok_failed_or_refused_and_only_one_of_them() -> None:
    assert sorted([Status.OK, *FAILED, *REFUSED]) == sorted(Status)


def test_each_outcome_is_counted_once() -> None:
    assert len(ALL_OUTCOMES) == len(set(ALL_OUTCOMES))
    assert {*Status, *Qualified} <= set(ALL_OUTCOMES)


@pytest.mark.parametrize("status", Status)
def test_a_status_stands_for_itself(status: Status) -> None:
    assert outcome_label(case("numpy", "data/0", status)) is status


def test_a_documented_failure_is_none_and_a_comparison_that_proves_nothing_no_pass() -> None:
    known = case("numpy", "data/0", Status.WRONG, explanation="known")
    assert outcome_label(known) is Qualified.DECLARED
    assert outcome_label(case("numpy", "data/0", mistrusted=["output"])) is Qualified.MISTRUSTED
