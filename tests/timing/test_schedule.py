"""The order of calibration, warm-up and blocks, proved on a sampler whose clock is ours."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.timing.messages import TimingResult
from harness.timing.schedule import (
    GROUPS,
    LONGEST_WARM_UP,
    SLOPE,
    WAITED,
    WINDOWS,
    block,
    calibrate,
    most_calls,
    warm_up,
)


class FakeSampler:
    """An arm's call lasts as long as its name says, in seconds, times what ``slower`` makes of the
    calls made before.
    """

    def __init__(self, slower=lambda made: 1.0, **seconds):
        self.seconds, self.slower, self.made, self.asked = seconds, slower, Counter(), []

    def sample(self, arm, calls, untimed):
        self.asked.append((arm, calls, untimed))
        self.made[arm] += untimed
        seconds = sum(
            self.seconds[arm] * self.slower(self.made[arm] + call)
            for call in range(min(calls, 1000))
        )
        self.made[arm] += calls
        return TimingResult(seconds * max(calls / 1000, 1))


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


def samples_of(sampler, calls, index, order, most=10**9):
    return list(block(sampler, calls, index, order, most))


def test_each_block_samples_every_arm_once_with_its_own_number_of_calls():
    sampler, calls = FakeSampler(a=1.0, b=2.0, c=3.0), {"a": 5, "b": 1, "c": 2}
    for index in range(4):
        samples = samples_of(sampler, calls, index, random.Random(index))
        assert Counter(sample.arm for sample in samples) == Counter("abc")
        assert {sample.block for sample in samples} == {index}
        for sample in samples:
            assert sample.result.seconds == pytest.approx(
                sampler.seconds[sample.arm] * sample.calls
            )


def test_every_other_block_has_twice_the_calls_for_all_arms_alike():
    sampler, calls = FakeSampler(a=1.0, b=2.0), {"a": 5, "b": 1}
    times = [
        {
            sample.arm: sample.calls // calls[sample.arm]
            for sample in samples_of(sampler, calls, index, random.Random(0))
        }
        for index in range(4)
    ]
    assert times == [dict.fromkeys("ab", 1), dict.fromkeys("ab", SLOPE)] * 2


def test_no_block_has_more_calls_than_memory_allows():
    assert (
        max(
            sample.calls
            for sample in samples_of(FakeSampler(a=1.0), {"a": 5}, 1, random.Random(0), most=7)
        )
        == 5
    )


class Waiting(FakeSampler):
    """Threads wait for a CPU as long as these shares of its samples say, and no longer than a
    moment afterwards.
    """

    def __init__(self, *waits):
        super().__init__(a=1.0)
        self.waits = list(waits)

    def sample(self, arm, calls, untimed):
        waited = self.waits.pop(0) if self.waits else 0.0
        return replace(super().sample(arm, calls, untimed), waited=waited)


@pytest.mark.parametrize(
    ("waits", "counts", "taken"),
    [
        ((0.0,), 0, 1),
        ((WAITED,), 0, 1),
        ((None,), 0, 1),
        ((0.5, 0.0), 1, 2),
        ((0.5, 0.3, 0.0), 2, 3),
        ((0.5, 0.3, 0.4), 1, 3),
    ],
)
def test_a_sample_that_waited_for_a_cpu_is_taken_again_and_the_one_that_waited_least_counts(
    waits, counts, taken
):
    samples = samples_of(Waiting(*waits), {"a": 5}, 0, random.Random(0))
    assert [sample.set_aside for sample in samples] == [index != counts for index in range(taken)]


def test_as_many_untimed_calls_as_a_sample_has_come_before_it():
    sampler = FakeSampler(a=1.0, b=2.0)
    samples_of(sampler, {"a": 5, "b": 1}, 0, random.Random(0))
    assert {arm: untimed for arm, _, untimed in sampler.asked} == {"a": 5, "b": 1}


def test_the_order_is_drawn_anew_for_each_block_and_the_same_for_the_same_seed():
    def orders(seed):
        order, sampler = random.Random(seed), FakeSampler(a=1, b=1, c=1, d=1)
        blocks = [
            samples_of(sampler, dict.fromkeys("abcd", 1), index, order) for index in range(12)
        ]
        return ["".join(sample.arm for sample in samples) for samples in blocks]

    assert orders(3) == orders(3)
    assert len(set(orders(3))) > 6
    assert orders(3) != orders(4)


def test_graphs_made_beforehand_fit_in_memory():
    assert most_calls(1 << 28) == 4
    assert most_calls(1 << 40) == 1
    assert most_calls(0) > 10**6
