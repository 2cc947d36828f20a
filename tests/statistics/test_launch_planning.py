"""How many launches are wanted, what they could find, and that two stages keep what their intervals
promise.
"""

from __future__ import annotations

import importlib.util
import math
import sys
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import statistics
from harness.records import Interval, Verdict
from harness.statistics.launch_planning import FAR
from tests.helpers.samples import logarithms, logs, within_binomial_bounds

SCRIPT = Path(__file__).parent.parent / "experiments" / "interval_coverage.py"


@pytest.fixture(scope="module")
def coverage():
    """The script, under a name of its own: on the path it would stand in for the library of the
    same name.
    """
    specification = importlib.util.spec_from_file_location("interval_coverage", SCRIPT)
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    yield module
    del sys.modules[specification.name]


@given(
    st.lists(st.floats(-0.05, 0.05), min_size=2, max_size=12),
    st.floats(0.01, 0.3),
    st.floats(0.005, 0.3),
)
def test_the_launches_wanted_are_the_fewest_that_make_the_interval_narrow_enough(
    pilot, alpha, margin
):
    wanted = statistics.launches_wanted(pilot, alpha, margin)
    assert wanted >= len(pilot)
    mean, low, high = logarithms(statistics.interval(pilot, alpha))
    aim = max(statistics.PRECISION * math.log1p(margin), FAR * (abs(mean) - math.log1p(margin)))
    assert (high - low) / 2 * math.sqrt(len(pilot) / wanted) <= aim * (1 + 1e-9)
    if wanted > len(pilot):
        assert (high - low) / 2 * math.sqrt(len(pilot) / (wanted - 1)) > aim * (1 - 1e-9)


@given(logs, st.floats(0, 3))
def test_a_ratio_farther_from_the_margin_wants_fewer_launches_but_no_fewer_than_the_pilot(
    pilot, shift
):
    centred = [value - fmean(pilot) for value in pilot]
    wanted = [
        statistics.launches_wanted([value + mean for value in centred], 0.05, 0.03)
        for mean in (0.0, shift, 2 * shift)
    ]
    assert (
        wanted == sorted(wanted, reverse=True)
        or max(wanted) - min(wanted) <= 1e-6 * max(wanted) + 1
    )
    assert wanted[-1] >= len(pilot)


@given(logs, st.floats(-0.1, 0.1))
def test_up_to_five_times_the_margin_the_launches_wanted_depend_on_the_pilots_spread_alone(
    pilot, mean
):
    centred = [value - fmean(pilot) for value in pilot]
    shifted = [value + mean for value in centred]
    assert statistics.launches_wanted(shifted, 0.05, 0.03) == pytest.approx(
        statistics.launches_wanted(centred, 0.05, 0.03), abs=1, rel=1e-6
    )


def test_a_pilot_without_noise_wants_no_more():
    assert statistics.launches_wanted([0.01] * 8, 0.05, 0.03) == 8


@pytest.mark.parametrize("margin", [0.0, -0.1, math.nan])
def test_a_margin_that_endless_launches_would_take_is_refused(margin):
    with pytest.raises(ValueError, match="endless launches"):
        statistics.launches_wanted([0.1, 0.2], 0.05, margin)


def test_two_stages_cover_the_truth_as_often_as_they_promise(coverage):
    scenarios = [
        coverage.Scenario(ratio, noise)
        for ratio, noise in ((1.0, 0.04), (1.03, 0.01), (1.03, 0.02), (1.5, 0.02))
    ]
    found = [
        coverage.simulate(scenario, sessions=1000, seed=seed)
        for seed, scenario in enumerate(scenarios)
    ]
    assert len(found[2].launches) > 20  # the pilot's variance is given something to decide
    assert 0.94 <= sum(one.covered for one in found) / 4000 <= 0.96
    assert max(one.false for one in found) <= 50
    assert coverage.broken(found) is None


def test_the_simulation_notices_that_a_look_at_the_mean_breaks_the_promise(coverage, monkeypatch):
    def peeking(pilot, alpha, margin):
        decided = (
            statistics.verdict(statistics.interval(pilot, alpha), margin) is not Verdict.AMBIGUOUS
        )
        return len(pilot) if decided else honest(pilot, alpha, margin)

    honest = statistics.launches_wanted
    monkeypatch.setattr(statistics, "launches_wanted", peeking)
    found = [coverage.simulate(coverage.Scenario(ratio=1.03, noise=0.04), sessions=2000, seed=5)]
    assert "promised" in coverage.broken(found)


def test_an_ordinary_interval_of_a_session_that_stopped_by_its_variance_is_too_narrow(
    coverage, monkeypatch
):
    ordinary = statistics.interval
    monkeypatch.setattr(
        statistics, "interval", lambda log_ratios, alpha, _pilot: ordinary(log_ratios, alpha)
    )
    found = coverage.simulate(
        coverage.Scenario(ratio=1.0, noise=0.02), 2000, 6, coverage.Size(pilot=3, most=100)
    )
    assert found.covered / found.sessions < 0.94


@pytest.mark.parametrize(
    ("verdict", "ratio", "expected"),
    [
        (Verdict.SAME, 1.0, False),
        (Verdict.SAME, 1.03, False),
        (Verdict.SAME, 1.05, True),
        (Verdict.SLOWER, 1.05, False),
        (Verdict.SLOWER, 1.03, True),
        (Verdict.FASTER, 1.05, True),
        (Verdict.FASTER, 0.9, False),
        (Verdict.AMBIGUOUS, 1.5, False),
    ],
)
def test_the_simulation_tells_a_false_verdict(coverage, verdict, ratio, expected):
    assert coverage.is_false(verdict, ratio) is expected


def test_the_effect_detectable_is_that_of_a_published_power_calculation():
    # R's pwr: pwr.t.test(d = 0.2, n = 60, sig.level = 0.10, type = "one.sample") has power
    # 0.4555818.
    unit_spread = list(np.array([-1.0, 1.0] * 30) * math.sqrt(59 / 60))
    found = statistics.minimum_detectable_effect(unit_spread, 0.10, 0.0, power=0.4555818)
    # pwr counts the power of the wrong side in, 2e-4 here
    assert math.log1p(found) == pytest.approx(0.2, abs=3e-4)


def test_the_effect_detectable_is_the_margin_where_there_is_no_noise():
    assert statistics.minimum_detectable_effect([0.2, 0.2, 0.2], 0.05, 0.03) == pytest.approx(0.03)


def test_an_effect_called_detectable_is_found_as_often_as_its_power_says():
    random = np.random.default_rng(3)
    noise = list(np.array([-1.0, 1.0] * 4) * 0.02 * math.sqrt(7 / 8))
    effect = statistics.minimum_detectable_effect(noise, 0.05, 0.03, power=0.8)
    found = sum(
        statistics.verdict(
            statistics.interval(list(random.normal(math.log1p(effect), 0.02, 8)), 0.05), 0.03
        )
        is Verdict.SLOWER
        for _ in range(400)
    )
    assert within_binomial_bounds(found, 400, 0.8), found


def test_an_effect_detectable_in_two_stages_is_found_as_often_as_its_power_says():
    random = np.random.default_rng(4)
    pilot = list(np.array([-1.0, 1.0] * 4) * 0.02 * math.sqrt(7 / 8))
    effect = statistics.minimum_detectable_effect(pilot * 3, 0.05, 0.03, power=0.8, pilot=8)

    def session() -> Interval:
        return statistics.interval(list(random.normal(math.log1p(effect), 0.02, 24)), 0.05, pilot=8)

    found = sum(statistics.verdict(session(), 0.03) is Verdict.SLOWER for _ in range(400))
    assert within_binomial_bounds(found, 400, 0.8), found
