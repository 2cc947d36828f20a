"""States in made-up series of readings."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.doctor.changepoints import Course, course, runs_score, split
from tests.helpers.doctor import noisy


def course_of(values: Sequence[float]) -> Course:
    return course([index * 0.1 for index in range(len(values))], values)


@pytest.mark.parametrize("spread", [0.01, 0.05, 0.1, 0.3])
@pytest.mark.parametrize("seed", range(20))
def test_noise_about_one_level_is_one_state(spread: float, seed: int) -> None:
    found = course_of(noisy([20.0] * 150, spread, seed))
    [level] = found.levels
    assert level.value == pytest.approx(20.0, rel=0.2)
    assert (level.share, level.stays, found.drift) == (1.0, 1, 0.0)


@pytest.mark.parametrize("spread", [0.01, 0.03, 0.06])
@pytest.mark.parametrize("seed", range(10))
def test_two_levels_that_last_are_two_states_with_their_share_and_stays(
    spread: float, seed: int
) -> None:
    low, high = course_of(
        noisy([10.0] * 30 + [14.0] * 60 + [10.0] * 20 + [14.0] * 40, spread, seed)
    ).levels
    assert (low.value, high.value) == (pytest.approx(10.0, rel=0.03), pytest.approx(14.0, rel=0.03))
    assert (low.share, high.share) == (
        pytest.approx(1 / 3, abs=0.03),
        pytest.approx(2 / 3, abs=0.03),
    )
    assert (low.stays, high.stays) == (2, 2)
    assert (low.seconds, high.seconds) == (pytest.approx(2.5, abs=0.2), pytest.approx(5.0, abs=0.3))


def test_one_step_in_the_middle_is_two_states_and_no_drift() -> None:
    found = course_of(noisy([10.0] * 75 + [20.0] * 75))
    assert [level.stays for level in found.levels] == [1, 1]
    assert found.drift == 0.0


@pytest.mark.parametrize("seed", range(10))
def test_single_spikes_are_no_state(seed: int) -> None:
    draw = random.Random(seed)
    spiked = [5.0 if draw.random() < 0.07 else 20.0 for _ in range(150)]
    assert len(course_of(noisy(spiked, seed=seed)).levels) == 1


def test_a_single_disturbance_is_an_event_and_no_state() -> None:
    assert len(course_of(noisy([20.0] * 100 + [9.0] * 6 + [20.0] * 100)).levels) == 1


def test_levels_that_alternate_from_reading_to_reading_are_no_states() -> None:
    assert len(course_of(noisy([10.0, 20.0] * 75)).levels) == 1


@pytest.mark.parametrize("seed", range(10))
def test_levels_that_chance_picks_for_each_reading_are_no_states(seed: int) -> None:
    assert len(course_of(random.Random(seed).choices([10.0, 20.0], k=150)).levels) == 1


def test_levels_close_together_are_one_state() -> None:
    assert len(course_of(noisy(([10.0] * 25 + [11.0] * 25) * 3, 0.005)).levels) == 1


@pytest.mark.parametrize(("end", "drift"), [(30.0, 0.5), (12.0, -0.4)])
def test_a_slow_change_is_a_drift_and_no_state(end: float, drift: float) -> None:
    found = course_of(noisy([20.0 + (end - 20.0) * index / 149 for index in range(150)]))
    assert len(found.levels) == 1
    assert found.drift == pytest.approx(drift, abs=0.08)


def test_too_few_readings_are_one_state() -> None:
    assert len(course_of([10.0] * 5 + [20.0] * 5).levels) == 1
    assert course([0.0], [3.0]).levels[0].share == 1.0


@pytest.mark.parametrize(("times", "values"), [([], []), ([0.0], [1.0, 2.0])])
def test_readings_without_times_are_refused(times: list[float], values: list[float]) -> None:
    with pytest.raises(ValueError, match="at least 1, and a time for each"):
        course(times, values)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(1.0, 100.0), min_size=1, max_size=60))
def test_states_do_not_depend_on_the_unit_and_share_all_the_time(values: list[float]) -> None:
    found, larger = course_of(values), course_of([value * 2.0**30 for value in values])
    assert [level.stays for level in larger.levels] == [level.stays for level in found.levels]
    assert [level.value for level in larger.levels] == pytest.approx(
        [level.value * 2.0**30 for level in found.levels]
    )
    assert sum(level.share for level in found.levels) == pytest.approx(1.0)


@given(
    st.lists(st.floats(-5.0, 5.0), min_size=2, max_size=12).filter(
        lambda values: len(set(values)) > 1
    )
)
def test_no_other_threshold_explains_more_than_the_split(values: list[float]) -> None:
    def explained(threshold: float) -> float:
        classes = [
            [value for value in values if (value >= threshold) == upper] for upper in (False, True)
        ]
        mean = sum(values) / len(values)
        return sum(len(one) * (sum(one) / len(one) - mean) ** 2 for one in classes if one)

    threshold, share = split(values)
    assert 0 <= share <= 1 + 1e-9
    assert all(explained(threshold) >= explained(other) - 1e-9 for other in values)


def test_a_series_of_two_runs_has_fewer_than_chance_gives_and_an_alternating_one_more() -> None:
    assert runs_score([False] * 20 + [True] * 20) < -5
    assert runs_score([False, True] * 20) > 5
    assert runs_score([True] * 20) == 0
