"""The worst element of a case is the one farthest out, and a fault is beyond all numbers."""

from __future__ import annotations

from harness.analysis.case_elements import WorstElement, worst_element
from harness.records import ComparedQuantity, Status
from tests.helpers.synthetic import case


def compared(ratio: float | None, fault: str | None = None) -> ComparedQuantity:
    return ComparedQuantity(f"quantity {ratio}", passed=False, ratio=ratio, index=(1,), fault=fault)


def test_of_a_case_that_passed_it_is_what_the_figures_hold() -> None:
    assert worst_element(case("numpy", "x/0")) == WorstElement("output", (0, 3, 2), 0.25, 1.5)


def test_of_one_that_failed_it_is_the_largest_ratio_or_one_that_is_no_number() -> None:
    numbers = [compared(2.0), compared(41.0), compared(3.0)]
    worst = worst_element(case("numpy", "x/0", Status.WRONG, samples=numbers))
    assert worst == WorstElement("quantity 41.0", (1,), 41.0, None)
    infinite = [*numbers, compared(None), compared(5.0)]
    worst = worst_element(case("numpy", "x/0", Status.WRONG, samples=infinite))
    assert worst == WorstElement("quantity None", (1,), None, None)


def test_a_fault_is_worse_than_any_number() -> None:
    samples = [compared(None), compared(0.5, "was changed"), compared(9e9)]
    worst = worst_element(case("numpy", "x/0", Status.WRONG, samples=samples))
    assert worst is not None
    assert worst.fault == "was changed"


def test_where_nothing_was_compared_there_is_none() -> None:
    assert worst_element(case("numpy", "x/0", Status.CRASHED)) is None
