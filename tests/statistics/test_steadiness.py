"""A series of groups is steady when it no longer goes anywhere, noise and single outliers apart."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.statistics import is_steady
from harness.statistics.steadiness import WINDOW

GROUPS = 100


def noisy(
    random: np.random.Generator, course: np.ndarray, noise: float, outliers: float = 0.0
) -> list[float]:
    """Seconds about a course, off by ``noise``, and by some 50 % more in a share of
    ``outliers``.
    """
    slowed = np.where(
        random.random(len(course)) < outliers, random.exponential(0.5, len(course)), 0
    )
    return list(course * np.exp(random.normal(0, noise, len(course)) + slowed))


def falling(groups: float, extra: float = 1.0) -> np.ndarray:
    """From ``1 + extra`` to 1; what is left falls by a factor e in so many ``groups``."""
    return 1 + extra * np.exp(-np.arange(GROUPS) / groups)


def stopped(seconds: list[float]) -> int | None:
    """After how many groups a warm-up along these would end."""
    return next((count for count in range(len(seconds) + 1) if is_steady(seconds[:count])), None)


def test_a_flat_series_is_steady_with_its_second_window():
    assert stopped([1.0] * GROUPS) == 2 * WINDOW


@pytest.mark.parametrize("window", [2, 3, 5, 20])
def test_a_window_of_another_length_waits_for_two_of_its_own(window):
    assert not is_steady([1.0] * (2 * window - 1), window)
    assert is_steady([9.0] * window + [1.0] * (2 * window), window)
    assert not is_steady([2.0] * window + [1.0] * window, window)


def test_a_shorter_window_forgives_as_much_more_noise():
    # Neighbours that differ by 6.745 % are a noise of 7.07 %: medians of 4 may then be 6.3 % apart,
    # of 20 only 2.8 %.
    def at(gap: float, window: int) -> bool:
        steps = [0.0, 0.0674490] * (window // 2)
        return is_steady(
            [100 + 100 * value for value in steps] + [100 + 100 * (value + gap) for value in steps],
            window,
        )

    assert at(0.055, 4)
    assert not at(0.055, 20)


def test_a_warm_up_is_not_steady_until_it_is_flat():
    for groups in (2, 5, 10, 20):
        course = falling(groups)
        assert course[stopped(list(course)) - 1] < 1.03


def test_a_single_outlier_anywhere_does_not_unsettle_a_flat_series():
    for place, factor in itertools.product(range(2 * WINDOW), (0.1, 10.0)):
        series = [1.0] * (2 * WINDOW)
        series[place] *= factor
        assert is_steady(series)


@pytest.mark.parametrize("factor", [0.5, 0.95, 1.05, 2.0])
def test_a_step_unsettles_a_series_until_it_is_a_window_old(factor):
    def at(age: int) -> bool:
        return is_steady([1.0] * (3 * WINDOW) + [factor] * age)

    # a minority of the newest groups is no more than outliers
    steady_before = [at(age) for age in range(WINDOW // 2)]
    assert all(steady_before)
    assert not any(at(age) for age in range(WINDOW // 2 + 1, WINDOW + WINDOW // 2))
    assert at(2 * WINDOW)


def test_a_slow_rise_is_not_steady():
    for count in range(2 * WINDOW, GROUPS):
        assert not is_steady([1 + 0.005 * group for group in range(count)][: 2 * WINDOW + 20])


def test_a_drift_does_not_pass_as_noise_of_its_own():
    assert stopped([1 + group / 10 for group in range(GROUPS)]) is None


@given(st.lists(st.floats(0.5, 2), max_size=2 * WINDOW + 5), st.integers(-20, 20))
def test_steadiness_does_not_depend_on_the_unit_of_time(seconds, exponent):
    assert is_steady(seconds) == is_steady([value * 2.0**exponent for value in seconds])


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_a_drift_is_tolerated_by_its_share_of_the_time(unit):
    assert is_steady([unit] * WINDOW + [1.015 * unit] * WINDOW)
    assert not is_steady([unit] * WINDOW + [1.025 * unit] * WINDOW)


@given(
    st.lists(st.floats(0.5, 2), min_size=2 * WINDOW, max_size=2 * WINDOW),
    st.lists(st.floats(0.5, 2)),
)
def test_only_the_newest_two_windows_count(newest, before):
    assert is_steady(before + newest) == is_steady(newest)


@pytest.mark.parametrize("outliers", [0.0, 0.05])
@pytest.mark.parametrize("noise", [0.002, 0.02, 0.05])
def test_noise_alone_costs_a_few_groups_at_most(noise, outliers):
    # False alarms, of 500 windows: none at 0.2 % of noise, one in ten at 2 %, one in four or five
    # at 5 %.
    random = np.random.default_rng(7)
    alarms = np.mean(
        [not is_steady(noisy(random, np.ones(2 * WINDOW), noise, outliers)) for _ in range(500)]
    )
    assert alarms <= {0.002: 0.01, 0.02: 0.15, 0.05: 0.35}[noise]
    lengths = [stopped(noisy(random, np.ones(GROUPS), noise, outliers)) for _ in range(200)]
    assert np.mean(lengths) <= 2 * WINDOW + 2
    assert max(lengths) < GROUPS


@pytest.mark.parametrize(
    ("groups", "noise", "left"),
    [
        (5, 0.005, 0.005),
        (5, 0.05, 0.015),
        (10, 0.005, 0.015),
        (10, 0.02, 0.025),
        (10, 0.05, 0.05),
        (20, 0.02, 0.08),
    ],
)
def test_a_noisy_warm_up_that_is_called_steady_has_little_left(groups, noise, left):
    # Misses: with what is left above these, one warm-up in twenty is called steady.
    random = np.random.default_rng(8)
    course = falling(groups)
    remaining = [
        course[(stopped(noisy(random, course, noise)) or GROUPS) - 1] - 1 for _ in range(200)
    ]
    assert np.quantile(remaining, 0.95) < left
