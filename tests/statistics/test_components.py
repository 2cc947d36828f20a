"""The noise of a machine, split between launches and blocks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import statistics
from harness.records import Verdict
from harness.statistics import Components
from tests.helpers.samples import within_binomial_bounds

# Strength of fabric from four looms: Montgomery, Design and Analysis of Experiments, example 3.10
# (9th edition).
LOOMS = [[98, 97, 99, 96], [91, 90, 93, 92], [96, 95, 97, 95], [95, 96, 99, 98]]
# Width of the scutum of tick larvae from four rabbits, unequally many: Sokal and Rohlf, Biometry,
# box 9.1.
TICKS = [
    [380, 376, 360, 368, 372, 366, 374, 382],
    [350, 356, 358, 376, 338, 342, 366, 350, 344, 364],
    [354, 360, 362, 352, 366, 372, 362, 344, 342, 358, 351, 348, 348],
    [376, 344, 342, 372, 374, 360],
]


def test_components_are_those_of_montgomerys_looms():
    found = statistics.variance_components(LOOMS)
    assert found.within**2 == pytest.approx(1.90, abs=0.005)
    assert found.between**2 == pytest.approx(6.96, abs=0.005)


def test_components_are_those_of_sokal_and_rohlfs_ticks():
    found = statistics.variance_components(TICKS)
    # its sums of squares: 1807.7 among, 3778.0 within
    assert found.within**2 == pytest.approx(3778.0 / 33, rel=1e-4)
    assert found.between**2 == pytest.approx((1807.7 / 3 - 3778.0 / 33) / 9.009, rel=1e-3)


def test_launches_that_differ_less_than_their_blocks_explain_do_not_differ():
    assert statistics.variance_components([[-1.0, 1.0], [-1.0, 1.0]]) == Components(
        math.sqrt(2), 0.0
    )


@given(
    st.lists(st.lists(st.floats(-1, 1), min_size=2, max_size=5), min_size=2, max_size=6),
    st.floats(-1, 1),
)
def test_components_do_not_depend_on_the_ratio_itself(by_launch, shift):
    found = statistics.variance_components(by_launch)
    moved = statistics.variance_components(
        [[value + shift for value in blocks] for blocks in by_launch]
    )
    assert (moved.within**2, moved.between**2) == pytest.approx(
        (found.within**2, found.between**2), abs=1e-9
    )


def test_a_launch_without_blocks_is_passed_over():
    assert statistics.variance_components([*LOOMS, []]) == statistics.variance_components(LOOMS)


@pytest.mark.parametrize("by_launch", [[], [[0.1, 0.2]], [[0.1], [0.2]], [[0.1, 0.2], []]])
def test_too_little_to_tell_launches_from_blocks_is_refused(by_launch):
    with pytest.raises(ValueError, match="do not tell launches from blocks apart"):
        statistics.variance_components(by_launch)


def test_components_average_to_those_that_were_put_in():
    random = np.random.default_rng(9)
    found = [
        statistics.variance_components(
            random.normal(random.normal(0, 0.02, (8, 1)), 0.01, (8, 5)).tolist()
        )
        for _ in range(500)
    ]
    assert np.mean([one.within**2 for one in found]) == pytest.approx(0.01**2, rel=0.03)
    assert np.mean([one.between**2 for one in found]) == pytest.approx(0.02**2, rel=0.1)


@pytest.mark.parametrize(
    ("components", "blocks"),
    [(Components(0.04, 0.0), 1), (Components(0.04, 0.0), 7), (Components(0.04, 0.02), 5)],
)
def test_the_smallest_effect_is_found_as_often_as_its_power_says(components, blocks):
    random = np.random.default_rng(10)
    effect = statistics.smallest_effect(components, 8, blocks, 0.05, 0.03, power=0.8)
    found = 0
    for _ in range(400):
        launches = random.normal(math.log1p(effect), components.between, (8, 1))
        log_ratios = np.median(random.normal(launches, components.within, (8, blocks)), axis=1)
        found += (
            statistics.verdict(statistics.interval(list(log_ratios), 0.05), 0.03) is Verdict.SLOWER
        )
    assert within_binomial_bounds(found, 400, 0.8), found


@pytest.mark.parametrize("components", [Components(0.02, 0.0), Components(0.0, 0.02)])
def test_the_smallest_effect_is_what_a_session_of_just_that_noise_could_detect(components):
    log_ratios = list(np.array([-1.0, 1.0] * 2) * 0.02 * math.sqrt(3 / 4))
    expected = statistics.minimum_detectable_effect(log_ratios, 0.05, 0.03)
    assert statistics.smallest_effect(components, 4, 1, 0.05, 0.03) == pytest.approx(expected)


@given(st.floats(0, 0.1), st.floats(0, 0.1), st.integers(2, 30), st.integers(1, 20))
def test_more_of_either_never_hides_an_effect_and_none_below_the_margin_is_seen(
    within, between, launches, blocks
):
    def smallest(launches: int, blocks: int) -> float:
        return statistics.smallest_effect(Components(within, between), launches, blocks, 0.05, 0.03)

    slack = 1 + 1e-9
    assert smallest(launches + 1, blocks) <= smallest(launches, blocks) * slack
    assert smallest(launches, blocks + 1) <= smallest(launches, blocks) * slack
    assert smallest(launches, blocks) * slack >= 0.03


@pytest.mark.parametrize(("launches", "blocks"), [(1, 5), (8, 0)])
def test_a_session_too_small_for_an_interval_is_refused(launches, blocks):
    with pytest.raises(ValueError, match=f"{launches} launches of {blocks} blocks"):
        statistics.smallest_effect(Components(0.01, 0.01), launches, blocks, 0.05, 0.03)
