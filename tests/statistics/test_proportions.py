"""Exact bounds of a probability."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from harness import statistics


def test_the_interval_is_that_of_conovers_mendelian_peas():
    # R's ?binom.test: binom.test(682, 925, p = 0.75), after Conover (1971), page 97; 0.7076683 to
    # 0.7654066.
    assert statistics.binomial_interval(682, 925, 0.05) == pytest.approx(
        (0.7076683, 0.7654066), abs=5e-8
    )
    assert statistics.binomial_upper(682, 925, 0.025) == pytest.approx(0.7654066, abs=5e-8)


def test_nothing_seen_in_sixty_trials_leaves_almost_five_percent():
    # Hanley and Lippman-Hand (1983), "If nothing goes wrong, is everything all right?": 1 - 0.05 **
    # (1 / 60), about 3 / 60.
    assert statistics.binomial_upper(0, 60, 0.05) == pytest.approx(0.0487, abs=5e-5)


@given(st.integers(1, 200), st.data(), st.floats(1e-3, 0.5))
def test_the_upper_bound_is_where_so_few_events_have_the_probability_alpha(trials, data, alpha):
    events = data.draw(st.integers(0, trials - 1))
    upper = statistics.binomial_upper(events, trials, alpha)
    assert stats.binom.cdf(events, trials, upper) == pytest.approx(alpha, rel=1e-6)


def test_what_always_happens_is_bounded_by_one_and_what_never_does_by_zero():
    assert statistics.binomial_upper(7, 7, 0.05) == 1
    assert statistics.binomial_interval(0, 7, 0.05)[0] == 0


@pytest.mark.parametrize(("events", "trials"), [(0, 0), (-1, 5), (6, 5)])
def test_impossible_counts_are_refused(events, trials):
    with pytest.raises(ValueError, match=f"{events} events in {trials} trials"):
        statistics.binomial_upper(events, trials, 0.05)
