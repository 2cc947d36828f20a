"""Steps to a target, paired by seed."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from harness import statistics
from harness.records import Interval
from tests.helpers.samples import logarithms


def test_a_miss_is_longer_than_any_hit():
    found = statistics.step_ratio([10, None, None], [20, 10**6, 40], 0.05)
    assert found.estimate == math.inf
    assert found.low == pytest.approx(0.5)
    assert not statistics.step_ratio([10, 20, 30], [None, None, 60], 0.05).estimate


def test_two_misses_are_a_tie():
    assert statistics.step_ratio([None], [None], 0.05) == Interval(1.0, 1.0, 1.0)
    assert statistics.outperformance([None, None], [None, None], 0.05).estimate == pytest.approx(
        0.5
    )


def test_the_bootstrap_of_paired_steps_agrees_with_scipys():
    arm, reference = [50, 60, 55, 80, 40, 75, 61, 90], [200, 250, 210, 230, 270, 220, 300, 190]
    found = statistics.step_ratio(arm, reference, 0.1)
    expected = stats.bootstrap(
        (np.log(np.divide(arm, reference)),),
        np.median,
        confidence_level=0.9,
        method="percentile",
        rng=5,
    ).confidence_interval
    assert logarithms(found)[1:] == pytest.approx((expected.low, expected.high), abs=0.02)
    assert statistics.step_ratio(arm, reference, 0.1) == found


def test_the_probability_of_outperforming_has_the_exact_binomial_interval():
    found = statistics.outperformance([1, 1, 1, 1, 1, 1, 1, 9, 9, 9], [5] * 10, 0.05)
    assert found.estimate == pytest.approx(0.7)
    # R: binom.test(7, 10)
    assert (found.low, found.high) == pytest.approx((0.34755, 0.93326), abs=1e-5)
    certain = statistics.outperformance([1] * 5, [None] * 5, 0.05)
    assert (certain.estimate, certain.high) == (1.0, 1.0)
    assert certain.low == pytest.approx(0.4782, abs=1e-4)  # 0.025 ** (1 / 5)


def test_seeds_that_cannot_be_paired_are_refused():
    with pytest.raises(ValueError, match="2 and 1 seeds"):
        statistics.step_ratio([1, 2], [1], 0.05)
    with pytest.raises(ValueError, match="0 and 0 seeds"):
        statistics.outperformance([], [], 0.05)


def test_the_ratio_of_time_a_step_is_students_t_on_log_ratios_paired_by_seed():
    arm, reference = [2.0e-3, 2.2e-3, 3.1e-3, 1.9e-3], [1.0e-3, 1.2e-3, 1.5e-3, 1.0e-3]
    expected = stats.ttest_rel(np.log(arm), np.log(reference)).confidence_interval(0.9)
    found = logarithms(statistics.pace_ratio(arm, reference, 0.1))
    assert found[0] == pytest.approx(np.mean(np.log(np.divide(arm, reference))))
    assert found[1:] == pytest.approx(tuple(expected))


def test_a_ratio_of_time_over_one_seed_or_none_has_no_interval():
    assert statistics.pace_ratio([1.0], [2.0], 0.05) is None
    assert statistics.pace_ratio([], [], 0.05) is None
