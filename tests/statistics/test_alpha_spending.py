from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtri

from harness.statistics.alpha_spending import nominal_levels, spent_share


def test_a_single_look_has_the_whole_level():
    assert nominal_levels(0.05, [3], [1.0]) == pytest.approx((0.05,), abs=1e-9)


def test_two_equal_looks_have_pococks_level():
    """Jennison and Turnbull 2000, table 2.1: two-sided 0.05, two looks, 2.178."""
    level = 0.0294 / 2  # of each look
    spent_first = level / 0.025
    first, second = nominal_levels(0.025, [1, 2], [spent_first, 1.0])
    assert first == pytest.approx(level, rel=1e-6)
    assert -ndtri(second) == pytest.approx(2.178, abs=2e-3)


def test_looks_together_find_as_much_as_the_level_allows():
    launches, level, trials = [3, 4, 5, 8], 0.05, 100_000
    shares = [spent_share(count, 8) for count in launches]
    sums = np.random.default_rng(0).normal(size=(trials, 8)).cumsum(axis=1)
    bounds = -ndtri(nominal_levels(level, launches, shares))
    crossed = [
        sums[:, count - 1] / np.sqrt(count) > bound
        for count, bound in zip(launches, bounds, strict=True)
    ]
    assert np.any(crossed, axis=0).mean() == pytest.approx(level, abs=0.003)


def test_looks_that_share_launches_cost_less_than_bonferroni():
    shares = [spent_share(count, 12) for count in range(3, 13)]
    levels = nominal_levels(0.01, range(3, 13), shares)
    steps = [0.01 * (after - before) for before, after in zip([0, *shares], shares, strict=False)]
    assert all(level > step for level, step in zip(levels[1:], steps[1:], strict=True))


def test_a_last_look_spends_what_is_left():
    ended = nominal_levels(0.01, [3, 4], [3 / 12, 1.0])
    going_on = nominal_levels(0.01, [3, 4], [3 / 12, 4 / 12])
    assert ended[0] == going_on[0]
    assert ended[1] > going_on[1]


def test_nothing_is_found_where_nothing_may_be_spent():
    assert nominal_levels(0.01, [3, 4], [0.5, 0.5])[1] == 0


@pytest.mark.parametrize(
    ("level", "launches", "shares"),
    [(0.0, [3], [1.0]), (0.1, [3, 3], [0.5, 1.0]), (0.1, [3, 4], [0.5, 0.4]), (0.1, [3], [1.1])],
)
def test_impossible_spending_is_refused(level, launches, shares):
    with pytest.raises(ValueError, match="cannot be spent"):
        nominal_levels(level, launches, shares)
