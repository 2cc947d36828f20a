"""Steps to a target, paired by seed."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from scipy import stats

from harness import statistics
from harness.statistics import Duration
from tests.helpers.samples import logarithms


def durations(values, budget):
    """None is a miss within ``budget``."""
    return [Duration(budget, reached=False) if v is None else Duration(v) for v in values]


def ratio(arm, reference, alpha=0.05, budget=100):
    return statistics.duration_ratio(durations(arm, budget), durations(reference, budget), alpha)


def test_where_the_reference_missed_its_budget_bounds_the_ratio_from_above():
    found = ratio([40, 47], [None, None])
    assert (found.estimate, found.low) == (None, 0.0)
    assert found.high == pytest.approx(0.47)
    assert (found.reference_missed, found.missed, found.pairs) == (2, 0, 2)


def test_where_the_arm_missed_its_budget_bounds_the_ratio_from_below():
    found = ratio([None, None, None], [20, 25, 40])
    assert (found.estimate, found.low, found.high) == (None, pytest.approx(2.5), math.inf)
    assert (found.reference_missed, found.missed) == (0, 3)


def test_a_pair_that_both_missed_says_nothing_and_is_left_out():
    found = ratio([None, 50, 60, 40], [None, 100, 100, 100])
    assert found == dataclasses.replace(ratio([50, 60, 40], [100] * 3), both_missed=1)
    assert ratio([None], [None]) is None


def test_a_median_that_misses_do_not_reach_is_known_and_its_interval_open_on_their_side():
    found = ratio([30, 40, 50, 40, 45], [None, 100, 100, 100, 100])
    assert found.estimate == pytest.approx(0.4)
    assert found.low == 0.0
    assert found.high == pytest.approx(0.5)


def test_a_miss_of_which_nothing_is_known_leaves_the_pair_open():
    unknown = [Duration(0.0, reached=False)]
    found = statistics.duration_ratio(unknown, [Duration(5)], 0.05)
    assert (found.low, found.high) == (0.0, math.inf)


def test_two_misses_are_a_tie_in_the_probability_to_be_sooner():
    assert statistics.outperformance([None, None], [None, None], 0.05).estimate == pytest.approx(
        0.5
    )


def test_the_bootstrap_of_paired_steps_agrees_with_scipys():
    arm, reference = [50, 60, 55, 80, 40, 75, 61, 90], [200, 250, 210, 230, 270, 220, 300, 190]
    found = ratio(arm, reference, 0.1)
    expected = stats.bootstrap(
        (np.log(np.divide(arm, reference)),),
        np.median,
        confidence_level=0.9,
        method="percentile",
        rng=5,
    ).confidence_interval
    bounds = math.log(found.low), math.log(found.high)
    assert bounds == pytest.approx((expected.low, expected.high), abs=0.02)
    assert ratio(arm, reference, 0.1) == found


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
        ratio([1, 2], [1])
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
