"""Calibration and warm-up, on a sampler whose clock the test sets."""

from __future__ import annotations

from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.timing.calibration import calibrate
from harness.timing.messages import TimingResult
from harness.timing.warm_up import GROUPS, LONGEST_WARM_UP, WINDOWS, warm_up
from tests.helpers.samplers import FakeSampler


@given(seconds=st.floats(1e-8, 1.0), least=st.floats(1e-4, 0.1))
def test_a_calibrated_sample_lasts_as_long_as_it_must_and_not_far_beyond(seconds, least):
    sampler = FakeSampler(arm=seconds)
    calls = calibrate(sampler, "arm", least, 10**9)
    assert calls * seconds >= least * (1 - 1e-9)
    assert calls == 1 or calls * seconds <= 10 * least + 2 * seconds


def test_calibration_stops_at_the_number_of_calls_that_memory_allows():
    assert calibrate(FakeSampler(arm=1e-9), "arm", 1.0, 7) == 7
    assert warm_up(FakeSampler(arm=1e-9), "arm", 1.0, 7).calls == 7


def test_a_clock_that_shows_nothing_at_first_does_not_stop_calibration():
    class Coarse(FakeSampler):
        def sample(self, arm, calls, untimed):
            return TimingResult(max(0.0, super().sample(arm, calls, untimed).seconds - 1e-3))

    assert calibrate(Coarse(arm=1e-6), "arm", 5e-3, 10**9) * 1e-6 >= 5e-3


def test_an_arm_is_called_until_it_is_steady_and_its_sample_is_sized_by_what_it_takes_then():
    sampler = FakeSampler(lambda made: 1.0 + 20.0 * exp(-made / 15), arm=1e-4)
    warmed = warm_up(sampler, "arm", 0.01, 10**9)
    assert warmed.steady
    assert warmed.groups[0] > 5e-4
    assert warmed.groups[-1] == pytest.approx(1e-4, rel=0.02)
    assert warmed.calls * 1e-4 == pytest.approx(0.01, rel=0.2)


def test_long_calls_are_warmed_up_by_fewer_groups_than_short_ones():
    groups = [
        len(warm_up(FakeSampler(arm=seconds), "arm", 0.01, 10**9).groups)
        for seconds in (1e-6, 1e-4, 0.01, 1.0)
    ]
    assert groups == [2 * WINDOWS[1], 2 * WINDOWS[1], 2 * 5, 2 * WINDOWS[0]]


def test_an_arm_that_is_never_steady_is_told_so_after_a_bounded_time():
    sampler = FakeSampler(lambda made: 1.0 + made / 100, arm=1e-3)
    warmed = warm_up(sampler, "arm", 0.01, 10**9)
    assert not warmed.steady
    assert len(warmed.groups) <= LONGEST_WARM_UP * 2 * WINDOWS[1]


def test_calibration_comes_before_warming_up_and_groups_are_shorter_than_samples():
    sampler = FakeSampler(arm=1e-4)
    warmed = warm_up(sampler, "arm", 0.01, 10**9)
    sizes = [calls for _, calls, _ in sampler.asked]
    assert sizes == sorted(sizes)
    assert sizes[-1] * GROUPS <= warmed.calls * 1.5
