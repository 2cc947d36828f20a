"""The prior of many variances comes out again from what was drawn by it, whatever lies far out."""

from __future__ import annotations

from math import exp, inf, isinf, log
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.statistics import LaunchVariance, Prior, fit_prior, priors


def drawn(
    cells: int,
    *,
    freedom: int = 3,
    prior_freedom: float = inf,
    variance: float = 1e-4,
    seed: int = 0,
    slope: float = 0.0,
) -> list[LaunchVariance]:
    """Variances of launches, one a cell, whose own are drawn from a prior that rises with a
    covariate between 0 and 1.
    """
    random = np.random.default_rng(seed)
    rows = []
    for cell in range(cells):
        place = float(random.uniform())
        true = variance * exp(slope * place)
        if not isinf(prior_freedom):
            true *= prior_freedom / float(random.chisquare(prior_freedom))
        found = true * float(random.chisquare(freedom)) / freedom
        rows.append(LaunchVariance(found, freedom, str(cell), (place,)))
    return rows


def fitted(rows: list[LaunchVariance]) -> Prior:
    prior = fit_prior(rows)
    assert prior is not None
    return prior


@pytest.mark.parametrize("prior_freedom", [3.0, 8.0])
def test_a_known_prior_is_recovered_from_many_variances(prior_freedom: float) -> None:
    prior = fitted(drawn(2000, prior_freedom=prior_freedom))
    assert prior.fitted_freedom == pytest.approx(prior_freedom, rel=0.2)
    assert prior.freedom == pytest.approx(prior_freedom, rel=0.25)
    assert prior.of([0.5]).variance == pytest.approx(1e-4, rel=0.1)


def test_of_few_variances_d0_is_cautious() -> None:
    found = [fitted(drawn(20, prior_freedom=4.0, seed=seed)) for seed in range(60)]
    too_sure = sum(prior.freedom > 8 for prior in found)
    assert too_sure < sum(prior.fitted_freedom > 8 for prior in found) / 1.5
    assert all(prior.freedom <= prior.fitted_freedom for prior in found)


def test_equal_variances_give_an_infinite_d0_and_the_pooled_variance() -> None:
    rows = [LaunchVariance(4e-4, 3, str(cell), (cell / 9,)) for cell in range(10)]
    prior = fitted(rows)
    assert isinf(prior.fitted_freedom)
    assert prior.of([0.5]).variance == pytest.approx(4e-4)
    assert prior.freedom == 30  # what the pooled variance rests on, and no more


def test_of_variances_that_differ_by_chance_only_the_pooled_one_weighs_launches() -> None:
    rows = [
        LaunchVariance(variance, freedom, str(cell))
        for cell, (variance, freedom) in enumerate([(1.0, 7), (1.5, 7), (0.8, 3), (1.2, 3)])
    ]
    prior = fitted(rows)
    assert isinf(prior.fitted_freedom)
    pooled = sum(row.variance * row.freedom for row in rows) / sum(row.freedom for row in rows)
    assert prior.of([]).variance == pytest.approx(pooled)


def test_a_trend_is_recovered_and_goes_on_nowhere_beyond_what_was_met() -> None:
    prior = fitted(drawn(400, slope=3.0, freedom=7))
    low, high = prior.of([0.0]).variance, prior.of([1.0]).variance
    assert log(high / low) == pytest.approx(3.0, abs=0.3)
    assert prior.of([5.0]).variance == pytest.approx(high, rel=0.02)
    assert isinf(prior.fitted_freedom) or prior.fitted_freedom > 50


def test_of_a_trend_in_a_few_cells_a_part_is_believed() -> None:
    slopes = [
        log(found.of([1.0]).variance / found.of([0.0]).variance)
        for found in (fitted(drawn(5, slope=3.0, seed=seed)) for seed in range(40))
    ]
    assert 0.3 < fmean(slopes) < 2.5
    chance = [
        abs(log(found.of([1.0]).variance / found.of([0.0]).variance))
        for found in (fitted(drawn(5, seed=seed)) for seed in range(40))
    ]
    assert fmean(chance) < 1.5


def test_an_unknown_covariate_counts_as_its_mean_and_a_constant_one_as_nothing() -> None:
    rows = [
        LaunchVariance(row.variance, row.freedom, row.cell, (*row.covariates, None, 1.0))
        for row in drawn(50, slope=2.0)
    ]
    prior = fitted(rows)
    mean = fmean(float(row.covariates[0] or 0) for row in rows)
    unknown, known = prior.of([None, 3.0, 2.0]), prior.of([mean, None, 1.0])
    assert unknown.variance == pytest.approx(known.variance)


def test_an_outlying_row_is_no_part_of_what_is_expected_of_the_others() -> None:
    rows = drawn(20, freedom=7)
    without = fitted(rows)
    wild = LaunchVariance(400 * 1e-4, 7, "wild", (0.5,))
    robust = fitted([*rows, wild])
    assert robust.of([0.5]).variance == pytest.approx(without.of([0.5]).variance, rel=0.15)
    assert robust.freedom > without.freedom / 3
    kept = robust.of([0.5]).freedom_beside(wild.variance, 7)
    assert kept < 1 < robust.freedom


def test_arms_that_share_a_baseline_count_once_in_how_surely_the_prior_is_known() -> None:
    alone = [LaunchVariance(1e-4, 3, str(cell)) for cell in range(4)]
    assert fitted(alone * 5).freedom == fitted(alone).freedom == 12


def test_a_row_is_moderated_by_the_cells_that_it_is_not_of() -> None:
    rows = drawn(6)
    found = priors([*rows, LaunchVariance(9.0, 3, "0", (0.5,))])
    assert found["0"] == fit_prior(rows[1:])
    assert found["1"] != found["0"]


@pytest.mark.parametrize("rows", [[], drawn(1), drawn(1) * 5])
def test_a_single_cell_has_no_prior(rows: list[LaunchVariance]) -> None:
    assert fit_prior(rows) is None
    assert set(priors(rows).values()) <= {None}


def test_where_all_variances_are_zero_there_is_no_prior_and_a_single_zero_does_no_harm() -> None:
    still = [LaunchVariance(0.0, 3, str(cell)) for cell in range(4)]
    assert fit_prior(still) is None
    found = fitted([*drawn(20), LaunchVariance(0.0, 3, "still", (0.5,))])
    assert 1e-5 < found.of([0.5]).variance < 4e-4


ROWS = st.lists(
    st.builds(
        lambda size, freedom, cell, place: LaunchVariance(size, freedom, cell, (place,)),
        st.floats(1e-6, 1.0),
        st.integers(1, 9),
        st.sampled_from("abcdef"),
        st.floats(0, 10),
    ),
    min_size=3,
    max_size=12,
)


@given(ROWS, st.randoms())
def test_the_order_of_rows_does_not_matter(rows: list[LaunchVariance], random) -> None:
    mixed = random.sample(rows, len(rows))
    found, again = fit_prior(rows), fit_prior(mixed)
    assert (found is None) == (again is None)
    if found and again:
        assert again.freedom == pytest.approx(found.freedom, rel=1e-4)
        assert again.of([5.0]).variance == pytest.approx(found.of([5.0]).variance, rel=1e-4)


@given(ROWS, st.floats(0.01, 100))
def test_log_ratios_that_are_scaled_scale_what_is_expected_of_them(
    rows: list[LaunchVariance], scale: float
) -> None:
    scaled = [
        LaunchVariance(row.variance * scale**2, row.freedom, row.cell, row.covariates)
        for row in rows
    ]
    found, again = fit_prior(rows), fit_prior(scaled)
    assert (found is None) == (again is None)
    if found and again:
        assert again.freedom == pytest.approx(found.freedom, rel=1e-4)
        expected = scale**2 * found.of([5.0]).variance
        assert again.of([5.0]).variance == pytest.approx(expected, rel=1e-4)
