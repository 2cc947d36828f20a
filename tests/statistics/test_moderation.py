"""A moderated variance: the launches' own and what others let expect, each for what it is worth."""

from __future__ import annotations

from math import exp, inf, log
from statistics import variance

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import polygamma

from harness import statistics
from harness.records import Verdict
from harness.statistics import VariancePrior, launch_variance
from harness.statistics.special_functions import trigamma_inverse, variance_ratio_beyond

LAUNCHES = st.lists(st.floats(-0.5, 0.5), min_size=2, max_size=8).filter(
    lambda found: len(set(found)) > 1 and variance(found) > 1e-12
)
PRIORS = st.builds(VariancePrior, st.floats(1e-6, 1e-2), st.floats(0.1, 200), st.integers(2, 99))


@given(st.floats(1e-4, 1e4))
def test_the_inverse_of_the_trigamma_function_inverts_it(value: float) -> None:
    assert float(polygamma(1, trigamma_inverse(value))) == pytest.approx(value, rel=1e-8)


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_what_the_trigamma_function_never_is_has_no_inverse(value: float) -> None:
    with pytest.raises(ValueError, match=f"never {value}"):
        trigamma_inverse(value)


def test_a_variance_is_beside_an_infinitely_sure_one_as_chi_squared_has_it() -> None:
    assert variance_ratio_beyond(3.841459, 1, inf) == pytest.approx(0.05, abs=1e-6)
    assert variance_ratio_beyond(2.0, 3, 1e9) == pytest.approx(
        variance_ratio_beyond(2.0, 3, inf), abs=1e-6
    )


def test_a_moderated_variance_is_the_mean_of_both_weighted_by_degrees_of_freedom() -> None:
    found, freedom = VariancePrior(4e-4, 6.0, rows=20).posterior(1e-4, 2)
    assert (found, freedom) == pytest.approx(((6 * 4e-4 + 2 * 1e-4) / 8, 8.0))


def test_what_is_far_noisier_than_any_other_keeps_its_own_variance() -> None:
    prior = VariancePrior(1e-4, 30.0, rows=20)
    found, freedom = prior.posterior(100 * 1e-4, 3)
    assert found > 0.6 * 100 * 1e-4
    assert 3 < freedom < 6
    assert prior.freedom_beside(2e-4, 3) == 30.0


@given(PRIORS, st.floats(1, 1e6), st.integers(1, 15))
def test_the_noisier_a_row_the_less_its_prior_counts(
    prior: VariancePrior, ratio: float, freedom: int
) -> None:
    less = prior.freedom_beside(2 * ratio * prior.variance, freedom)
    more = prior.freedom_beside(ratio * prior.variance, freedom)
    assert 0 < less <= more * (1 + 1e-9) <= prior.freedom * (1 + 1e-9)


@given(LAUNCHES, PRIORS, st.floats(1e-3, 0.5), st.floats(0.001, 0.2))
def test_a_moderated_interval_decides_at_its_decision_level(
    launches: list[float], prior: VariancePrior, alpha: float, margin: float
) -> None:
    level = statistics.decision_level(launches, margin, prior=prior)
    found = statistics.verdict(statistics.interval(launches, alpha, prior=prior), margin)
    if abs(level - alpha) > 1e-9:
        assert (found is not Verdict.AMBIGUOUS) == (level < alpha)


@given(LAUNCHES, PRIORS)
def test_a_prior_moves_bounds_and_not_the_estimate(
    launches: list[float], prior: VariancePrior
) -> None:
    plain, moderated = (statistics.interval(launches, 0.05, prior=given) for given in (None, prior))
    assert moderated.estimate == plain.estimate
    assert moderated.low < moderated.estimate < moderated.high


def test_with_a_sure_prior_two_launches_find_what_many_would() -> None:
    launches, prior = [0.10, 0.11], VariancePrior(0.01**2, 60.0, rows=80)
    plain = statistics.interval(launches, 0.05)
    moderated = statistics.interval(launches, 0.05, prior=prior)
    half_width = log(moderated.high / moderated.estimate)
    assert half_width == pytest.approx(2.0 * 0.01 / 2**0.5, rel=0.03)
    assert log(plain.high / plain.estimate) > 3 * half_width
    assert statistics.minimum_detectable_effect(launches, 0.05, 0.03, prior=prior) < 0.06
    assert statistics.minimum_detectable_effect(launches, 0.05, 0.03) > 0.10


def test_a_pilot_that_happened_to_be_quiet_asks_for_more_launches_among_noisier_ones() -> None:
    quiet = [0.0, 0.001, -0.001, 0.0]
    noisier = VariancePrior(0.03**2, 20.0, rows=30)
    assert statistics.launches_wanted(quiet, 0.05, 0.03) == 4
    assert statistics.launches_wanted(quiet, 0.05, 0.03, noisier) > 8


def test_with_a_pilot_its_launches_alone_tell_of_the_variance_and_all_of_the_mean() -> None:
    prior = VariancePrior(1e-4, 5.0, rows=9)
    pilot, after = [0.1, 0.12, 0.14], [0.5, 0.9]
    found = statistics.interval([*pilot, *after], 0.05, 3, prior)
    assert found.estimate == pytest.approx(exp(sum([*pilot, *after]) / 5))
    moderated, freedom = prior.posterior(variance(pilot), 2)
    assert freedom == 7
    half_width = 2.364624 * (moderated / 5) ** 0.5
    assert log(found.high / found.estimate) == pytest.approx(half_width, rel=1e-5)


def test_two_sessions_are_each_moderated_by_their_own_cells() -> None:
    a, b = [0.1, 0.12, 0.14], [0.0, 0.02, 0.04]
    prior = VariancePrior(0.01**2, 50.0, rows=40)
    plain, moderated = (
        statistics.welch(a, b, 0.05, priors=given) for given in ((None, None), (prior, prior))
    )
    assert plain.low < 1.07 < moderated.low
    assert statistics.difference_level(a, b, 0.03) > 0.01
    assert statistics.difference_level(a, b, 0.03, priors=(prior, prior)) < 0.001


BLOCKS = ((0.1, 0.12, 0.11), (0.2, 0.2, 0.23), (0.9, 0.9, 0.9))


def test_a_row_is_of_the_pilots_medians_and_of_the_spread_within_all_launches() -> None:
    row = launch_variance(BLOCKS, 2, "cell", size=1024, separate=True)
    assert row is not None
    assert row.variance == pytest.approx(variance([0.11, 0.2]))
    assert (row.freedom, row.cell) == (1, "cell")
    size, separate, spread = row.covariates
    assert (size, separate) == (pytest.approx(log(1024)), 1.0)
    squares = (0.01**2 * 2 + 2 * 0.01**2 + 0.02**2) / 6
    assert spread == pytest.approx(log(squares) / 2)


def test_where_each_launch_has_one_block_the_spread_within_is_not_known() -> None:
    row = launch_variance([[0.1], [0.2]], None, "cell", size=1, separate=False)
    assert row is not None
    assert row.covariates[2] is None


@pytest.mark.parametrize("blocks", [(), BLOCKS[:1]])
def test_fewer_than_two_launches_are_no_row(blocks: tuple[tuple[float, ...], ...]) -> None:
    assert launch_variance(blocks, 8, "cell", size=1, separate=False) is None
