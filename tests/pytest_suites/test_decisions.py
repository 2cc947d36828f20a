"""What runs of a suite in two trees tell of its tests."""

from __future__ import annotations

from math import exp
from random import Random

import pytest

from harness.pytest_suites import Decision, SuiteOutcome, SuiteRun, SuiteTest
from harness.pytest_suites.decisions import correct, decide
from harness.pytest_suites.runs import Report
from harness.records import Interval, Seconds

NOISE = 0.01


def run(times, failed=()):
    """A run with these medians, in which some tests fail."""
    reports = {name: Report(name, "passed") for name in times}
    reports |= {name: Report(name, "failed", "AssertionError") for name in failed}
    return SuiteRun({name: Seconds(time) for name, time in times.items()}, reports)


def noisy(random, times):
    return {name: time * exp(random.gauss(0, NOISE)) for name, time in times.items()}


def pairs(base, head, count=6, seed=0, failed=((), ())):
    random = Random(seed)
    return [
        (run(noisy(random, base), failed[0]), run(noisy(random, head), failed[1]))
        for _ in range(count)
    ]


def outcomes(given, alpha=0.01):
    return {test.name: test.outcome for test in decide(given, margin=0.03, alpha=alpha)}


def test_what_is_a_fifth_slower_is_slower_and_the_rest_is_the_same():
    base = {f"t{number}": 1e-4 for number in range(6)}
    head = {**base, "t3": 1.2e-4}
    found = outcomes(pairs(base, head, count=8))
    assert found.pop("t3") is SuiteOutcome.SLOWER
    assert set(found.values()) == {SuiteOutcome.SAME}


def test_a_change_that_noise_could_be_is_ambiguous():
    assert outcomes(pairs({"t": 1.0}, {"t": 1.03}, count=3)) == {"t": SuiteOutcome.AMBIGUOUS}


def test_rounds_within_a_run_prove_nothing():
    assert outcomes(pairs({"t": 1.0}, {"t": 2.0}, count=1)) == {"t": SuiteOutcome.AMBIGUOUS}


def test_an_alarm_has_to_stand_among_all_tests():
    alarm = SuiteTest("t", SuiteOutcome.SLOWER, Decision(Interval(1.1, 1.04, 1.2), 0.004, 6))
    same = SuiteTest("u", SuiteOutcome.SAME, Decision(Interval(1.0, 0.99, 1.01), 0.009, 6))
    new = SuiteTest("v", SuiteOutcome.NEW)
    two = correct([alarm, same, new], 0.01)
    assert [test.outcome for test in two] == ["SLOWER", "SAME", "NEW"]
    three = correct([alarm, same, same, new], 0.01)  # 0.004 is more than a third of 0.01
    assert [test.outcome for test in three] == ["AMBIGUOUS", "SAME", "SAME", "NEW"]


@pytest.mark.parametrize(
    ("base", "head", "failed", "outcome"),
    [
        ({}, {"t": 1.0}, ((), ()), SuiteOutcome.NEW),
        ({"t": 1.0}, {}, ((), ()), SuiteOutcome.GONE),
        ({"t": 1.0}, {}, ((), ("t",)), SuiteOutcome.BROKEN),
        ({}, {"t": 1.0}, (("t",), ()), SuiteOutcome.MENDED),
        ({}, {}, (("t",), ("t",)), SuiteOutcome.FAILED),
        ({}, {}, ((), ("t",)), SuiteOutcome.FAILED),
        ({}, {}, (("t",), ()), SuiteOutcome.GONE),
    ],
)
def test_what_is_not_timed_in_both_is_told_as_that(base, head, failed, outcome):
    assert outcomes(pairs(base, head, failed=failed)) == {"t": outcome}


def test_a_test_that_fails_now_and_then_is_broken_and_says_how_often():
    given = pairs({"t": 1.0}, {"t": 1.0}, count=4)
    given[2] = (given[2][0], run({}, failed=("t",)))
    [found] = decide(given, margin=0.03, alpha=0.01)
    assert found.outcome is SuiteOutcome.BROKEN
    assert found.reason == "in 1 of 4 runs: AssertionError"


def test_a_test_that_is_skipped_in_both_is_left_out():
    skipped = SuiteRun({}, {"t": Report("t", "skipped")})
    assert decide([(skipped, skipped)] * 3, margin=0.03, alpha=0.01) == ()
