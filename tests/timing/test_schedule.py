"""The order of a block's samples, on a sampler whose clock the test sets."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest

from harness.timing.schedule import MOST_WAITED, SLOPE, block, most_calls
from tests.helpers.samplers import FakeSampler


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
        ((MOST_WAITED,), 0, 1),
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
    assert [sample.retaken for sample in samples] == [index != counts for index in range(taken)]


def test_past_its_time_no_sample_is_taken_again():
    samples = block(Waiting(0.5, 0.5), {"a": 5}, 0, random.Random(0), 10**9, lambda: False)
    assert [sample.retaken for sample in samples] == [False]


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
