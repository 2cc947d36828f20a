"""Statistics hold published examples, their own laws, and the error rates they promise in simulation."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from harness import statistics
from harness.records import Interval, Verdict

# Hours of sleep gained by ten patients under two drugs: Student (1908), R's `sleep`.
FIRST_DRUG = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
SECOND_DRUG = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
MIRRORED = {Verdict.FASTER: Verdict.SLOWER, Verdict.SLOWER: Verdict.FASTER}
logs = st.lists(st.floats(-2, 2), min_size=2, max_size=12)


def sample(launch: int, block: int, seconds: float, calls: int = 1) -> dict[str, float]:
    return {"launch": launch, "block": block, "calls": calls, "seconds": seconds * calls}


def logarithms(interval: Interval) -> tuple[float, float, float]:
    return math.log(interval.estimate), math.log(interval.low), math.log(interval.high)


def test_a_launch_gives_the_median_over_its_blocks_of_paired_log_ratios() -> None:
    samples = {
        "fast": [sample(0, 0, 1.0), sample(0, 1, 2.0), sample(0, 2, 8.0), sample(1, 0, 3.0)],
        "base": [sample(1, 0, 1.0), sample(0, 2, 8.0), sample(0, 1, 4.0), sample(0, 0, 4.0)],
    }
    assert statistics.log_ratios(samples, "fast", "base") == pytest.approx([math.log(1 / 2), math.log(3)])


def test_a_block_or_launch_that_one_arm_lacks_is_left_out() -> None:
    samples = {"arm": [sample(0, 0, 2.0), sample(0, 1, 9.0), sample(2, 0, 9.0)], "base": [sample(0, 0, 1.0)]}
    assert statistics.log_ratios(samples, "arm", "base") == pytest.approx([math.log(2)])


def test_times_are_per_call() -> None:
    samples = {"arm": [sample(0, 0, 2e-3, calls=10)], "base": [sample(0, 0, 1e-3, calls=40)]}
    assert statistics.log_ratios(samples, "arm", "base") == pytest.approx([math.log(2)])
    assert statistics.median_seconds(samples["arm"]) == pytest.approx(2e-3)


def test_median_seconds_weighs_launches_alike_whatever_their_number_of_blocks() -> None:
    many = [sample(0, block, 1.0) for block in range(9)]
    assert statistics.median_seconds([*many, sample(1, 0, 5.0), sample(2, 0, 6.0)]) == pytest.approx(5.0)


def test_the_interval_is_that_of_students_sleep_data() -> None:
    differences = [first - second for first, second in zip(FIRST_DRUG, SECOND_DRUG, strict=True)]
    found = logarithms(statistics.interval(differences, 0.05))
    assert found == pytest.approx((-1.58, -2.4598858, -0.7001142), abs=1e-7)  # R: t.test(..., paired = TRUE)


def test_welch_is_that_of_students_sleep_data() -> None:
    found = logarithms(statistics.welch(FIRST_DRUG, SECOND_DRUG, 0.05))
    assert found == pytest.approx((-1.58, -3.3654832, 0.2054832), abs=1e-7)  # R: t.test(extra ~ group, sleep)


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=9), st.lists(st.floats(-1, 1), min_size=2, max_size=9))
def test_welch_agrees_with_scipy(a: list[float], b: list[float]) -> None:
    assume(min(np.std(a), np.std(b)) > 1e-3)
    bounds = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.9)
    found = logarithms(statistics.welch(a, b, 0.1))
    assert found[1:] == pytest.approx((bounds.low, bounds.high), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("wrong", [[], [0.1]])
@pytest.mark.parametrize("function", [
    lambda given: statistics.interval(given, 0.05),
    lambda given: statistics.welch([0.1, 0.2], given, 0.05),
    lambda given: statistics.minimum_detectable_effect(given, 0.05, 0.03),
])
def test_fewer_than_two_launches_are_refused(function: Callable[[list[float]], object], wrong: list[float]) -> None:
    with pytest.raises(ValueError, match=f"{len(wrong)} paired launches"):
        function(wrong)


def test_launches_that_agree_exactly_have_an_interval_of_no_width() -> None:
    for found in (statistics.interval([0.5, 0.5], 0.05), statistics.welch([0.7, 0.7], [0.2, 0.2], 0.05)):
        assert logarithms(found) == pytest.approx((0.5, 0.5, 0.5))


def test_bounds_of_a_hopeless_interval_stay_finite() -> None:
    found = statistics.interval([-100.0, 100.0], 0.001)
    assert 0 < found.low < found.high < math.inf


@pytest.mark.parametrize(("low", "high", "expected"), [
    (0.90, 0.97, Verdict.FASTER), (0.90, 0.98, Verdict.AMBIGUOUS), (0.98, 1.02, Verdict.SAME),
    (0.98, 1.04, Verdict.AMBIGUOUS), (1.02, 1.10, Verdict.AMBIGUOUS), (1.04, 1.10, Verdict.SLOWER),
    (0.90, 1.10, Verdict.AMBIGUOUS), (1 / 1.03, 1.03, Verdict.SAME),
])
def test_verdicts_at_a_margin_of_three_percent(low: float, high: float, expected: Verdict) -> None:
    assert statistics.verdict(Interval((low + high) / 2, low, high), 0.03) is expected


@given(st.lists(st.tuples(st.floats(1e-6, 1), st.floats(1e-6, 1)), min_size=2, max_size=8), st.floats(0.01, 0.5))
def test_swapping_arm_and_baseline_inverts_the_ratio_and_mirrors_the_verdict(
    pairs: list[tuple[float, float]], margin: float,
) -> None:
    samples = {name: [sample(launch, 0, pair[side]) for launch, pair in enumerate(pairs)]
               for side, name in enumerate(("a", "b"))}
    there = statistics.interval(statistics.log_ratios(samples, "a", "b"), 0.05)
    back = statistics.interval(statistics.log_ratios(samples, "b", "a"), 0.05)
    mean, low, high = logarithms(there)
    assert logarithms(back) == pytest.approx((-mean, -high, -low))
    edges = [abs(abs(bound) - math.log1p(margin)) for bound in (low, high)]
    if min(edges) > 1e-9:
        given_verdict = statistics.verdict(there, margin)
        assert statistics.verdict(back, margin) is MIRRORED.get(given_verdict, given_verdict)


@given(logs, st.floats(1e-3, 1e3))
def test_a_change_of_the_unit_of_time_changes_nothing(log_ratios: list[float], unit: float) -> None:
    def session(scale: float) -> Interval:
        samples = {"arm": [sample(i, 0, scale * math.exp(value)) for i, value in enumerate(log_ratios)],
                   "base": [sample(i, 0, scale) for i in range(len(log_ratios))]}
        return statistics.interval(statistics.log_ratios(samples, "arm", "base"), 0.05)

    assert logarithms(session(unit)) == pytest.approx(logarithms(session(1.0)), abs=1e-9)


def test_the_effect_detectable_is_that_of_a_published_power_calculation() -> None:
    # R's pwr: pwr.t.test(d = 0.2, n = 60, sig.level = 0.10, type = "one.sample") has power 0.4555818.
    unit_spread = list(np.array([-1.0, 1.0] * 30) * math.sqrt(59 / 60))
    found = statistics.minimum_detectable_effect(unit_spread, 0.10, 0.0, power=0.4555818)
    assert math.log1p(found) == pytest.approx(0.2, abs=3e-4)  # pwr counts the power of the wrong side in, 2e-4 here


def test_the_effect_detectable_is_the_margin_where_there_is_no_noise() -> None:
    assert statistics.minimum_detectable_effect([0.2, 0.2, 0.2], 0.05, 0.03) == pytest.approx(0.03)


def simulated(random: np.random.Generator, effect: float, launches: int = 8, blocks: int = 5) -> list[float]:
    """Log-ratios of a session whose launches are off by 2 % and blocks by 4 %, around ``effect``."""
    offsets = random.normal(effect, 0.02, launches)
    samples = {
        "arm": [sample(launch, block, math.exp(offsets[launch] + random.normal(0, 0.04)))
                for launch in range(launches) for block in range(blocks)],
        "base": [sample(launch, block, 1.0) for launch in range(launches) for block in range(blocks)],
    }
    return statistics.log_ratios(samples, "arm", "base")


def within_binomial_bounds(hits: int, trials: int, share: float) -> bool:
    return bool(stats.binom.cdf(hits, trials, share) > 1e-3 and stats.binom.sf(hits - 1, trials, share) > 1e-3)


def test_intervals_cover_the_truth_as_often_as_they_promise() -> None:
    random = np.random.default_rng(1)
    hits = 0
    for _ in range(400):
        found = statistics.interval(simulated(random, math.log(1.1)), 0.1)
        hits += found.low <= 1.1 <= found.high
    assert within_binomial_bounds(hits, 400, 0.9), hits


def test_intervals_of_session_against_session_cover_as_often_as_they_promise() -> None:
    random = np.random.default_rng(2)
    hits = 0
    for _ in range(400):
        after, before = simulated(random, 0.3, launches=5), simulated(random, 0.1, launches=9)
        found = statistics.welch(after, before, 0.1)
        hits += found.low <= math.exp(0.2) <= found.high
    assert within_binomial_bounds(hits, 400, 0.9), hits


def test_an_effect_called_detectable_is_found_as_often_as_its_power_says() -> None:
    random = np.random.default_rng(3)
    noise = list(np.array([-1.0, 1.0] * 4) * 0.02 * math.sqrt(7 / 8))
    effect = statistics.minimum_detectable_effect(noise, 0.05, 0.03, power=0.8)
    found = sum(
        statistics.verdict(statistics.interval(list(random.normal(math.log1p(effect), 0.02, 8)), 0.05), 0.03)
        is Verdict.SLOWER for _ in range(400)
    )
    assert within_binomial_bounds(found, 400, 0.8), found


def test_the_geometric_mean_of_a_ratio_and_its_inverse_is_one() -> None:
    assert statistics.geometric_mean([4.0, 0.25]) == pytest.approx(1.0)


def test_a_miss_is_longer_than_any_hit() -> None:
    found = statistics.step_ratio([10, None, None], [20, 10**6, 40], 0.05)
    assert found.estimate == math.inf
    assert found.low == pytest.approx(0.5)
    assert not statistics.step_ratio([10, 20, 30], [None, None, 60], 0.05).estimate


def test_two_misses_are_a_tie() -> None:
    assert statistics.step_ratio([None], [None], 0.05) == Interval(1.0, 1.0, 1.0)
    assert statistics.outperformance([None, None], [None, None], 0.05).estimate == pytest.approx(0.5)


def test_the_bootstrap_of_paired_steps_agrees_with_scipys() -> None:
    arm, reference = [50, 60, 55, 80, 40, 75, 61, 90], [200, 250, 210, 230, 270, 220, 300, 190]
    found = statistics.step_ratio(arm, reference, 0.1)
    expected = stats.bootstrap((np.log(np.divide(arm, reference)),), np.median, confidence_level=0.9,
                               method="percentile", rng=5).confidence_interval
    assert logarithms(found)[1:] == pytest.approx((expected.low, expected.high), abs=0.02)
    assert statistics.step_ratio(arm, reference, 0.1) == found


def test_the_probability_of_outperforming_has_the_exact_binomial_interval() -> None:
    found = statistics.outperformance([1, 1, 1, 1, 1, 1, 1, 9, 9, 9], [5] * 10, 0.05)
    assert found.estimate == pytest.approx(0.7)
    assert (found.low, found.high) == pytest.approx((0.34755, 0.93326), abs=1e-5)  # R: binom.test(7, 10)
    certain = statistics.outperformance([1] * 5, [None] * 5, 0.05)
    assert (certain.estimate, certain.high) == (1.0, 1.0)
    assert certain.low == pytest.approx(0.4782, abs=1e-4)  # 0.025 ** (1 / 5)


def test_seeds_that_cannot_be_paired_are_refused() -> None:
    with pytest.raises(ValueError, match="2 and 1 seeds"):
        statistics.step_ratio([1, 2], [1], 0.05)
    with pytest.raises(ValueError, match="0 and 0 seeds"):
        statistics.outperformance([], [], 0.05)
