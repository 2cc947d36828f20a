"""The order of calibration and blocks, proved on a bench whose clock is ours."""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from harness.timing.sampler import calibrate, interleave, most_calls


class FakeBench:
    """An arm's call lasts as long as its name says, in seconds."""

    def __init__(self, **seconds):
        self.seconds, self.asked = seconds, []

    def sample(self, arm, calls):
        self.asked.append((arm, calls))
        return self.seconds[arm] * calls


@given(seconds=st.floats(1e-8, 1.0), least=st.floats(1e-4, 0.1))
def test_a_calibrated_sample_lasts_as_long_as_it_must_and_not_far_beyond(seconds, least):
    bench = FakeBench(arm=seconds)
    calls = calibrate(bench, "arm", least, 10**9)
    assert calls * seconds >= least
    assert calls == 1 or calls * seconds <= 10 * least + 2 * seconds


def test_calibration_stops_at_the_number_of_calls_that_memory_allows():
    assert calibrate(FakeBench(arm=1e-9), "arm", 1.0, 7) == 7


def test_a_clock_that_shows_nothing_at_first_does_not_stop_calibration():
    class Coarse(FakeBench):
        def sample(self, arm, calls):
            return max(0.0, super().sample(arm, calls) - 1e-3)

    assert calibrate(Coarse(arm=1e-6), "arm", 5e-3, 10**9) * 1e-6 >= 5e-3


def test_each_block_samples_every_arm_once_with_its_own_number_of_calls():
    bench, calls = FakeBench(a=1.0, b=2.0, c=3.0), {"a": 5, "b": 1, "c": 2}
    samples = interleave(bench, calls, 4, random.Random(0))
    assert [sample.block for sample in samples] == sorted(sample.block for sample in samples)
    for block in range(4):
        assert Counter(sample.arm for sample in samples if sample.block == block) == Counter("abc")
    assert all(sample.calls == calls[sample.arm] for sample in samples)
    assert all(sample.seconds == bench.seconds[sample.arm] * sample.calls for sample in samples)


def test_the_order_is_drawn_anew_for_each_block_and_the_same_for_the_same_seed():
    def orders(seed):
        samples = interleave(FakeBench(a=1, b=1, c=1, d=1), dict.fromkeys("abcd", 1), 12, random.Random(seed))
        return ["".join(sample.arm for sample in samples if sample.block == block) for block in range(12)]

    assert orders(3) == orders(3)
    assert len(set(orders(3))) > 6
    assert orders(3) != orders(4)


def test_graphs_made_beforehand_fit_in_memory():
    assert most_calls(1 << 28) == 4
    assert most_calls(1 << 40) == 1
    assert most_calls(0) > 10**6
