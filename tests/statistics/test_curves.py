"""Curves of losses part at a step, by so many float32 numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import statistics
from harness.statistics import Difference

float32 = st.floats(width=32, allow_nan=False, allow_infinity=False)
LARGEST = float(np.finfo(np.float32).max)


def moved(value: float, steps: int) -> float:
    """So many float32 numbers up or down from ``value``, by NumPy."""
    to = np.float32(math.inf if steps > 0 else -math.inf)
    at = np.float32(value)
    with np.errstate(all="ignore"):
        for _ in range(abs(steps)):
            at = np.nextafter(at, to)
    return float(at)


@given(float32, st.integers(-40, 40))
def test_numbers_are_as_far_apart_as_numpy_has_to_step_from_one_to_the_other(value, steps):
    other = moved(value, steps)
    if math.isfinite(other):
        assert statistics.ulps(value, other) == abs(steps)


@given(float32, float32, float32)
def test_the_distance_is_a_metric(a, b, c):
    assert statistics.ulps(a, b) == statistics.ulps(b, a)
    assert (statistics.ulps(a, b) == 0) == (a == b)
    assert statistics.ulps(a, c) <= statistics.ulps(a, b) + statistics.ulps(b, c)


@given(float32, float32, float32)
def test_it_adds_up_along_the_line_of_numbers(a, b, c):
    low, middle, high = sorted((a, b, c))
    assert statistics.ulps(low, high) == statistics.ulps(low, middle) + statistics.ulps(
        middle, high
    )


def test_known_distances():
    assert statistics.ulps(-0.0, 0.0) == 0
    assert statistics.ulps(-(2.0**-149), 2.0**-149) == 2
    assert statistics.ulps(1.0, 2.0) == 2**23
    assert statistics.ulps(-LARGEST, LARGEST) == 2 * (0x7F800000 - 1)


def test_a_number_that_is_no_float32_counts_as_the_nearest():
    assert statistics.ulps(1.0, 1.0 + 2.0**-25) == 0
    assert statistics.ulps(1.0, 1.0 + 2.0**-23 + 2.0**-26) == 1


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e39, -1e39])
def test_what_is_not_finite_in_float32_is_refused(value):
    with pytest.raises(ValueError, match="finite in float32"):
        statistics.ulps(1.0, value)


@given(st.lists(float32, min_size=1, max_size=20), st.data())
def test_the_first_difference_is_found_where_it_was_made(losses, data):
    place = data.draw(st.integers(0, len(losses) - 1))
    other = moved(losses[place], -1 if losses[place] > 0 else 1)
    rest = data.draw(
        st.lists(float32, min_size=len(losses) - place - 1, max_size=len(losses) - place - 1)
    )
    found = statistics.first_difference(losses, [*losses[:place], other, *rest])
    assert found == Difference(place + 1, 1)


@given(st.lists(float32, max_size=9), st.lists(float32, min_size=1, max_size=9))
def test_a_curve_that_goes_on_alone_differs_where_the_other_ends_by_no_number(losses, more):
    expected = Difference(len(losses) + 1, None)
    assert statistics.first_difference(losses, losses + more) == expected
    assert statistics.first_difference(losses + more, losses) == expected


@given(st.lists(float32, max_size=9))
def test_a_curve_never_differs_from_itself(losses):
    assert statistics.first_difference(losses, list(losses)) is None
