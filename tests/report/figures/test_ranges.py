"""How far axes reach, and what is labelled on them."""

from __future__ import annotations

from math import inf

import pytest

from harness.report.figures.ranges import MOST_LABELS, labelled_values, readable_range

BAND = (1 / 1.03, 1.03)


def test_an_estimate_far_from_those_of_its_arm_does_not_stretch_the_axis() -> None:
    usual = {"numpy": [9.0, 9.5, 10.0, 9.2], "compiled": [0.8, 0.82, 0.79, 0.81]}
    found = readable_range(usual, [], BAND, 366)
    usual["numpy"].append(900.0)
    assert readable_range(usual, [], BAND, 366) == found
    assert found.low < 0.79
    assert 10 < found.high < 14


def test_intervals_stretch_the_axis_a_little_and_endless_ones_no_further() -> None:
    arms = {"numpy": [2.0, 2.1, 2.2, 2.3]}
    plain, wide = (readable_range(arms, bounds, BAND, 366) for bounds in ([], [1e-9, 1e9]))
    endless = readable_range(arms, [1e-9, 1e9, 0.0, inf], BAND, 366)
    assert wide == endless
    assert 0.5 < wide.low < plain.low < plain.high < wide.high < 4


def test_however_far_arms_lie_apart_the_margin_keeps_its_share() -> None:
    found = readable_range({"slow": [5000.0], "fast": [0.5]}, [], BAND, 366)
    assert found.high / found.low < 366 * 2
    assert found.low < 0.5
    assert not found.holds(5000.0)
    assert (found.nearest(5000.0), found.nearest(1.0)) == (found.high, 1.0)


def test_an_axis_of_nothing_but_the_margin_shows_it() -> None:
    found = readable_range({}, [], BAND, 366)
    assert found.low < BAND[0] < BAND[1] < found.high
    alone = readable_range({"numpy": []}, [], (1.0,), 1000)
    assert alone.low < 1 < alone.high


@pytest.mark.parametrize(
    ("low", "high"),
    [(0.9, 1.1), (0.7, 12), (1e-6, 0.3), (0.5, 180), (2, 3), (1e-9, 1e3), (1.0001, 1.0002)],
)
def test_an_axis_has_a_few_labels_of_few_digits(low: float, high: float) -> None:
    found = labelled_values(low, high)
    assert 3 <= len(found) <= MOST_LABELS + 1
    assert all(low <= value <= high for value in found)
    assert len({f"{value:g}" for value in found}) == len(found)
