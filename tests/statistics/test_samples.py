"""From samples to one number a launch: paired, per call, and without the blocks that were set
aside.
"""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import statistics
from harness.records import Interval, Seconds, TimedSample
from tests.helpers.samples import logarithms, logs, sample


def test_a_launch_gives_the_median_over_its_blocks_of_paired_log_ratios():
    samples = {
        "fast": [sample(0, 0, 1.0), sample(0, 1, 2.0), sample(0, 2, 8.0), sample(1, 0, 3.0)],
        "base": [sample(1, 0, 1.0), sample(0, 2, 8.0), sample(0, 1, 4.0), sample(0, 0, 4.0)],
    }
    assert statistics.log_ratios(samples, "fast", "base") == pytest.approx(
        [math.log(1 / 2), math.log(3)]
    )


def test_a_block_or_launch_that_one_arm_lacks_is_left_out():
    samples = {
        "arm": [sample(0, 0, 2.0), sample(0, 1, 9.0), sample(2, 0, 9.0)],
        "base": [sample(0, 0, 1.0)],
    }
    assert statistics.log_ratios(samples, "arm", "base") == pytest.approx([math.log(2)])


def test_times_are_per_call():
    samples = {"arm": [sample(0, 0, 2e-3, calls=10)], "base": [sample(0, 0, 1e-3, calls=40)]}
    assert statistics.log_ratios(samples, "arm", "base") == pytest.approx([math.log(2)])
    assert statistics.median_seconds(samples["arm"]) == pytest.approx(2e-3)


def test_median_seconds_weighs_launches_alike_whatever_their_number_of_blocks():
    many = [sample(0, block, 1.0) for block in range(9)]
    assert statistics.median_seconds(
        [*many, sample(1, 0, 5.0), sample(2, 0, 6.0)]
    ) == pytest.approx(5.0)


def test_the_seconds_of_a_launch_are_the_median_over_its_blocks():
    made = [sample(0, 0, 1.0), sample(0, 1, 2.0), sample(0, 2, 9.0), sample(3, 0, 5.0)]
    assert statistics.launch_seconds(made) == [2.0, 5.0]


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.floats(1e-3, 1e3), st.booleans()), min_size=1, max_size=20
    )
)
def test_a_block_set_aside_counts_as_if_it_had_not_been_sampled(blocks):
    made = [
        replace(sample(launch, block, seconds), set_aside=disturbed)
        for block, (launch, seconds, disturbed) in enumerate(blocks)
    ]
    left = [sample for sample in made if not sample.set_aside]
    base = [sample(launch, block, 1.0) for block, (launch, _, _) in enumerate(blocks)]
    assert statistics.log_ratios(
        {"arm": made, "base": base}, "arm", "base"
    ) == statistics.log_ratios({"arm": left, "base": base}, "arm", "base")
    assert statistics.launch_seconds(made) == statistics.launch_seconds(left)


def test_a_block_set_aside_in_one_arm_is_set_aside_for_the_pair():
    samples = {
        "arm": [sample(0, 0, 2.0), sample(0, 1, 4.0)],
        "base": [sample(0, 0, 1.0), replace(sample(0, 1, 1.0), set_aside=True)],
    }
    assert statistics.log_ratios(samples, "arm", "base") == pytest.approx([math.log(2)])


@pytest.mark.parametrize("given", [[], [replace(sample(0, 0, 1.0), set_aside=True)]])
def test_nothing_but_samples_set_aside_has_no_median(given):
    assert statistics.log_ratios({"arm": given, "base": [sample(0, 0, 1.0)]}, "arm", "base") == []
    with pytest.raises(ValueError, match=f"{len(given)} samples, none of them undisturbed"):
        statistics.median_seconds(given)


@given(logs, st.floats(1e-3, 1e3))
def test_a_change_of_the_unit_of_time_changes_nothing(log_ratios, unit):
    def session(scale: float) -> Interval:
        samples = {
            "arm": [sample(i, 0, scale * math.exp(value)) for i, value in enumerate(log_ratios)],
            "base": [sample(i, 0, scale) for i in range(len(log_ratios))],
        }
        return statistics.interval(statistics.log_ratios(samples, "arm", "base"), 0.05)

    assert logarithms(session(unit)) == pytest.approx(logarithms(session(1.0)), abs=1e-9)


def test_the_geometric_mean_of_a_ratio_and_its_inverse_is_one():
    assert statistics.geometric_mean([4.0, 0.25]) == pytest.approx(1.0)


def test_the_range_of_a_launch_is_its_slowest_block_over_its_quickest_of_those_not_set_aside():
    blocks = ((0, 0, 2.0, False), (0, 1, 3.0, False), (0, 2, 90.0, True), (1, 0, 1.0, False))
    samples = [
        TimedSample(launch, block, 2, Seconds(seconds), set_aside=aside)
        for launch, block, seconds, aside in blocks
    ]
    assert statistics.launch_ranges(samples) == [1.5, 1.0]
