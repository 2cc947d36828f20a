"""Verdicts, the level at which they fall, and which of many stand."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from harness import statistics
from harness.records import Interval, Verdict
from tests.helpers.samples import logarithms, logs, sample

MIRRORED = {Verdict.FASTER: Verdict.SLOWER, Verdict.SLOWER: Verdict.FASTER}
levels = st.lists(st.floats(0, 1), max_size=12)
narrow = st.lists(st.floats(-0.1, 0.1), min_size=2, max_size=12)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.90, 0.97, Verdict.FASTER),
        (0.90, 0.98, Verdict.AMBIGUOUS),
        (0.98, 1.02, Verdict.SAME),
        (0.98, 1.04, Verdict.AMBIGUOUS),
        (1.02, 1.10, Verdict.AMBIGUOUS),
        (1.04, 1.10, Verdict.SLOWER),
        (0.90, 1.10, Verdict.AMBIGUOUS),
        (1 / 1.03, 1.03, Verdict.SAME),
    ],
)
def test_verdicts_at_a_margin_of_three_percent(low, high, expected):
    assert statistics.verdict(Interval((low + high) / 2, low, high), 0.03) is expected


@given(
    st.lists(st.tuples(st.floats(1e-6, 1), st.floats(1e-6, 1)), min_size=2, max_size=8),
    st.floats(0.01, 0.5),
)
def test_swapping_arm_and_baseline_inverts_the_ratio_and_mirrors_the_verdict(pairs, margin):
    samples = {
        name: [sample(launch, 0, pair[side]) for launch, pair in enumerate(pairs)]
        for side, name in enumerate(("a", "b"))
    }
    there = statistics.interval(statistics.log_ratios(samples, "a", "b"), 0.05)
    back = statistics.interval(statistics.log_ratios(samples, "b", "a"), 0.05)
    mean, low, high = logarithms(there)
    assert logarithms(back) == pytest.approx((-mean, -high, -low))
    edges = [abs(abs(bound) - math.log1p(margin)) for bound in (low, high)]
    if min(edges) > 1e-9:
        given_verdict = statistics.verdict(there, margin)
        assert statistics.verdict(back, margin) is MIRRORED.get(given_verdict, given_verdict)


@given(
    st.one_of(narrow, logs),
    st.floats(1e-3, 0.5),
    st.floats(1e-4, 0.2),
    st.one_of(st.none(), st.integers(2, 12)),
)
def test_an_interval_decides_exactly_beyond_the_level_of_the_decision(
    log_ratios, alpha, margin, pilot
):
    assume(np.std(log_ratios[:pilot]) > 1e-6)
    level = statistics.decision_level(log_ratios, margin, pilot)
    assume(abs(level - alpha) > 1e-6)
    found = statistics.verdict(statistics.interval(log_ratios, alpha, pilot), margin)
    assert (found is not Verdict.AMBIGUOUS) == (level < alpha)


def test_the_level_of_a_decision_is_that_of_students_sleep_data():
    # R: t.test(extra[1:10] - extra[11:20], mu = -2) and SciPy's ttest_1samp give it; the edge
    # stands for the margin.
    gained = np.array([-1.2, -2.4, -1.3, -1.3, 0.0, -1.0, -1.8, -0.8, -4.6, -1.4])
    expected = stats.ttest_1samp(gained, -1.0).pvalue
    assert statistics.decision_level(list(gained), math.expm1(1.0)) == pytest.approx(expected)
    # R: t.test(extra ~ group, sleep, paired = TRUE) has p = 0.002833 for no difference at all.
    assert statistics.decision_level(list(gained), 0.0) == pytest.approx(0.002833, abs=5e-7)


def test_launches_that_agree_exactly_decide_at_any_level_but_on_the_margin():
    assert statistics.decision_level([0.5, 0.5], 0.03) == 0
    assert statistics.decision_level([0.0, 0.0], 0.03) == 0
    assert statistics.decision_level([math.log1p(0.03)] * 2, 0.03) == 1


def test_holm_rejects_what_a_published_example_does():
    # Example of CRAN's HDLSSkST, ?Holm. Its third level, 0.01, meets 0.05 / 5 exactly and is no
    # rejection.
    published = [0.50, 0.01, 0.001, 0.69, 0.02, 0.05, 0.0025]
    assert statistics.holm(published, 0.05) == [False, False, True, False, False, False, True]


def test_holm_steps_down_where_bonferroni_stays():
    # below 0.05, 0.05 / 3, 0.05 / 2
    assert statistics.holm([0.04, 0.012, 0.02], 0.05) == [True, True, True]
    # 0.03 stops 0.04 as well
    assert statistics.holm([0.01, 0.04, 0.03, 0.005], 0.05) == [True, False, False, True]


@given(levels, st.floats(1e-6, 0.5))
def test_holm_rejects_at_least_bonferronis_and_at_most_the_uncorrected(levels, alpha):
    for level, stands in zip(levels, statistics.holm(levels, alpha), strict=True):
        assert stands or not level < alpha / len(levels)
        assert level < alpha or not stands


@given(levels, st.floats(1e-6, 0.5), st.randoms(use_true_random=False))
def test_holm_does_not_depend_on_the_order(levels, alpha, random):
    order = list(range(len(levels)))
    random.shuffle(order)
    stands = statistics.holm(levels, alpha)
    assert statistics.holm([levels[index] for index in order], alpha) == [
        stands[index] for index in order
    ]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=5), st.floats(1e-6, 0.5))
def test_holm_is_the_closure_of_bonferronis_test(levels, alpha):
    # Marcus, Peritz and Gabriel (1976): a hypothesis falls if every set of hypotheses that holds it
    # does.
    edges = [abs(level * size - alpha) for level in levels for size in range(1, len(levels) + 1)]
    assume(min(edges) > 1e-12)
    indices = range(len(levels))
    sets = [
        chosen
        for size in range(1, len(levels) + 1)
        for chosen in itertools.combinations(indices, size)
    ]
    falls = {
        chosen: min(levels[index] for index in chosen) < alpha / len(chosen) for chosen in sets
    }
    closed = [all(falls[chosen] for chosen in sets if index in chosen) for index in indices]
    assert statistics.holm(levels, alpha) == closed
