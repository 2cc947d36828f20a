"""Equivalence is proven and not presumed: by two one-sided tests, which hold SciPy's numbers and
their error rate.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from harness import statistics
from tests.helpers.samples import within_binomial_bounds

MARGIN = 0.01
pairs = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=12)


@given(pairs, st.floats(1e-3, 1))
def test_the_level_is_the_larger_of_scipys_two_one_sided_paired_tests(drawn, margin):
    arm, reference = map(np.array, zip(*drawn, strict=True))
    assume(np.std(arm - reference) > 1e-6)
    found = statistics.equivalence(arm.tolist(), reference.tolist(), margin, 0.05)
    above = stats.ttest_rel(arm + margin, reference, alternative="greater")
    below = stats.ttest_rel(arm - margin, reference, alternative="less")
    assert found.level == pytest.approx(max(above.pvalue, below.pvalue), rel=1e-5, abs=1e-9)
    bounds = stats.ttest_rel(arm, reference).confidence_interval(0.9)
    assert (found.difference.low, found.difference.high) == pytest.approx(
        tuple(bounds), rel=1e-5, abs=1e-9
    )
    assert found.difference.estimate == pytest.approx(float(np.mean(arm - reference)), abs=1e-12)


@given(pairs, st.floats(1e-3, 1), st.floats(0.001, 0.4))
def test_arms_are_equivalent_where_the_interval_lies_inside_the_margin(drawn, margin, alpha):
    arm, reference = zip(*drawn, strict=True)
    found = statistics.equivalence(arm, reference, margin, alpha)
    gap = margin - max(-found.difference.low, found.difference.high)
    assume(abs(gap) > 1e-9)
    assert found.equivalent == (gap > 0) == (found.level < alpha)


@given(pairs)
def test_the_order_of_the_arms_turns_the_difference_and_leaves_the_level(drawn):
    arm, reference = zip(*drawn, strict=True)
    one, other = (
        statistics.equivalence(arm, reference, 0.1, 0.05),
        statistics.equivalence(reference, arm, 0.1, 0.05),
    )
    assert one.level == pytest.approx(other.level, abs=1e-12)
    assert (one.difference.low, one.difference.high) == pytest.approx(
        (-other.difference.high, -other.difference.low)
    )


@pytest.mark.parametrize(
    ("off", "level"), [(0.0, 0.0), (0.25, 0.0), (-0.25, 0.0), (0.5, 1.0), (-0.5, 1.0), (0.75, 1.0)]
)
def test_pairs_that_all_differ_by_the_same_are_inside_the_margin_or_not(off, level):
    found = statistics.equivalence([0.5 + off] * 4, [0.5] * 4, 0.5, 0.05)
    assert (found.level, found.equivalent) == (level, level == 0)
    assert (found.difference.low, found.difference.high) == (off, off)


def test_two_wide_apart_pairs_with_no_mean_difference_are_not_equivalent():
    found = statistics.equivalence([0.9, 0.8], [0.8, 0.9], MARGIN, 0.05)
    assert found.difference.estimate == pytest.approx(0)
    assert not found.equivalent


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_pairs_cannot_tell(count):
    assert statistics.equivalence([0.9] * count, [0.9] * count, MARGIN, 0.05) is None


def test_what_cannot_be_tested_is_refused():
    with pytest.raises(ValueError, match="2 and 1 values"):
        statistics.equivalence([1, 2], [1], MARGIN, 0.05)
    for margin, alpha in ((0, 0.05), (-1, 0.05), (MARGIN, 0), (MARGIN, 0.6)):
        with pytest.raises(ValueError, match="a margin above 0, and an alpha above 0"):
            statistics.equivalence([1, 2], [1, 2], margin, alpha)


def test_arms_that_differ_by_the_margin_are_called_equivalent_no_more_often_than_promised():
    random = np.random.default_rng(6)
    runs, alpha = 2000, 0.05
    called = sum(
        statistics.equivalence(
            (MARGIN + random.normal(0, 0.004, 8)).tolist(), [0.0] * 8, MARGIN, alpha
        ).equivalent
        for _ in range(runs)
    )
    # at the edge, and with little noise, it is alpha itself
    assert within_binomial_bounds(called, runs, alpha)
