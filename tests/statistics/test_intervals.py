"""Intervals hold published examples, their own laws, and the error rates that they promise in
simulation.
"""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from harness import statistics
from tests.helpers.samples import logarithms, logs, sample, within_binomial_bounds

# Hours of sleep gained by ten patients under two drugs: Student (1908), R's `sleep`.
FIRST_DRUG = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
SECOND_DRUG = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]


def test_the_interval_is_that_of_students_sleep_data():
    differences = [first - second for first, second in zip(FIRST_DRUG, SECOND_DRUG, strict=True)]
    found = logarithms(statistics.interval(differences, 0.05))
    # R: t.test(..., paired = TRUE)
    assert found == pytest.approx((-1.58, -2.4598858, -0.7001142), abs=1e-7)


def test_welch_is_that_of_students_sleep_data():
    found = logarithms(statistics.welch(FIRST_DRUG, SECOND_DRUG, 0.05))
    # R: t.test(extra ~ group, sleep)
    assert found == pytest.approx((-1.58, -3.3654832, 0.2054832), abs=1e-7)


@given(
    st.lists(st.floats(-1, 1), min_size=2, max_size=9),
    st.lists(st.floats(-1, 1), min_size=2, max_size=9),
)
def test_welch_agrees_with_scipy(a, b):
    assume(min(np.std(a), np.std(b)) > 1e-3)
    bounds = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.9)
    found = logarithms(statistics.welch(a, b, 0.1))
    assert found[1:] == pytest.approx((bounds.low, bounds.high), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("wrong", [[], [0.1]])
@pytest.mark.parametrize(
    "function",
    [
        lambda given: statistics.interval(given, 0.05),
        lambda given: statistics.welch([0.1, 0.2], given, 0.05),
        lambda given: statistics.minimum_detectable_effect(given, 0.05, 0.03),
        lambda given: statistics.decision_level(given, 0.03),
        lambda given: statistics.launches_wanted(given, 0.05, 0.03),
        lambda given: statistics.interval([*given, 0.1, 0.2], 0.05, pilot=len(given)),
    ],
)
def test_fewer_than_two_launches_are_refused(function, wrong):
    with pytest.raises(ValueError, match=f"{len(wrong)} paired launches"):
        function(wrong)


def test_launches_that_agree_exactly_have_an_interval_of_no_width():
    for found in (
        statistics.interval([0.5, 0.5], 0.05),
        statistics.welch([0.7, 0.7], [0.2, 0.2], 0.05),
    ):
        assert logarithms(found) == pytest.approx((0.5, 0.5, 0.5))


def test_bounds_of_a_hopeless_interval_stay_finite():
    found = statistics.interval([-100.0, 100.0], 0.001)
    assert 0 < found.low < found.high < math.inf


@given(logs, st.integers(0, 20))
def test_a_pilot_that_is_all_there_is_leaves_the_ordinary_interval(log_ratios, beyond):
    assert statistics.interval(log_ratios, 0.05, len(log_ratios) + beyond) == statistics.interval(
        log_ratios, 0.05
    )


@given(logs, logs)
def test_the_width_after_a_pilot_is_the_pilots_own_by_the_root_of_all_launches(pilot, rest):
    mean, low, high = logarithms(statistics.interval(pilot + rest, 0.05, len(pilot)))
    _, pilot_low, pilot_high = logarithms(statistics.interval(pilot, 0.05))
    share = math.sqrt(len(pilot) / len(pilot + rest))
    assert mean == pytest.approx(np.mean(pilot + rest), abs=1e-9)
    assert high - low == pytest.approx((pilot_high - pilot_low) * share, abs=1e-9)


def simulated(
    random: np.random.Generator, effect: float, launches: int = 8, blocks: int = 5
) -> list[float]:
    """Log-ratios of a session whose launches are off by 2 % and blocks by 4 %, around
    ``effect``.
    """
    offsets = random.normal(effect, 0.02, launches)
    samples = {
        "arm": [
            sample(launch, block, math.exp(offsets[launch] + random.normal(0, 0.04)))
            for launch in range(launches)
            for block in range(blocks)
        ],
        "base": [
            sample(launch, block, 1.0) for launch in range(launches) for block in range(blocks)
        ],
    }
    return statistics.log_ratios(samples, "arm", "base")


def test_intervals_cover_the_truth_as_often_as_they_promise():
    random = np.random.default_rng(1)
    hits = 0
    for _ in range(400):
        found = statistics.interval(simulated(random, math.log(1.1)), 0.1)
        hits += found.low <= 1.1 <= found.high
    assert within_binomial_bounds(hits, 400, 0.9), hits


def test_intervals_of_session_against_session_cover_as_often_as_they_promise():
    random = np.random.default_rng(2)
    hits = 0
    for _ in range(400):
        after, before = simulated(random, 0.3, launches=5), simulated(random, 0.1, launches=9)
        found = statistics.welch(after, before, 0.1)
        hits += found.low <= math.exp(0.2) <= found.high
    assert within_binomial_bounds(hits, 400, 0.9), hits


def test_commands_that_only_read_samples_do_not_wait_for_scipy():
    code = (
        "import sys; from harness import statistics; statistics.is_steady([1.0] * 30); "
        "sys.exit(any(name.split('.')[0] in ('scipy', 'numpy') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
