"""Runs of two trees take turns until all is decided, or the time is spent."""

from __future__ import annotations

from math import exp
from random import Random

import pytest

from harness.isolation.places import Place
from harness.pytest_suites import (
    Suite,
    SuiteOutcome,
    SuitePlan,
    SuiteRun,
    SuiteTree,
    gate_suite,
    interleaving,
)
from harness.pytest_suites.decisions import decide
from harness.records import Seconds, StopReason

BASE, HEAD = (SuiteTree(label, None, Place()) for label in ("base", "head"))
RUN_SECONDS = 10.0


class Machine:
    """A suite of tests whose times are drawn; each run takes ten seconds of a clock of its own."""

    def __init__(self, ratio=1.0, noise=0.01, seed=0, tests=4, drift=0.0):
        self.ratio, self.noise, self.tests, self.drift = ratio, noise, tests, drift
        self.random, self.now, self.order = Random(seed), 0.0, []

    def run(self, tree, arguments, seconds):
        self.now += RUN_SECONDS
        self.order.append(tree.label[0])
        level = exp(self.drift * len(self.order)) * (self.ratio if tree is HEAD else 1.0)
        times = {
            f"t{number}": Seconds(level * exp(self.random.gauss(0, self.noise)))
            for number in range(self.tests)
        }
        return SuiteRun(times, {})

    def gate(self, **plan):
        plan = {"seconds": 1000, **plan}
        return gate_suite(Suite(BASE, HEAD), SuitePlan(**plan), self.run, lambda: self.now)


def outcomes(judged):
    return {test.outcome for test in judged.tests}


def test_quiet_tests_are_decided_by_the_fewest_launches():
    judged = Machine(noise=0.001).gate(launches=5)
    assert (judged.launches, judged.stopped) == (5, StopReason.PRECISION)
    assert outcomes(judged) == {SuiteOutcome.SAME}


def test_undecided_tests_get_more_launches():
    judged = Machine(ratio=1.1, noise=0.03).gate(launches=3)
    assert judged.launches > 3
    assert outcomes(judged) == {SuiteOutcome.SLOWER}
    assert judged.stopped is StopReason.PRECISION


def test_no_pair_begins_that_would_not_end_in_time():
    machine = Machine(ratio=1.03, noise=0.05)
    judged = machine.gate(launches=3, seconds=150)
    assert (judged.launches, judged.stopped, judged.seconds) == (7, StopReason.BUDGET, 140)


def test_the_fewest_launches_are_made_whatever_they_take():
    assert Machine().gate(launches=4, seconds=1).launches == 4


def test_no_more_than_the_most_launches_are_made():
    judged = Machine(ratio=1.03, noise=0.05).gate(launches=3, most_launches=6, seconds=1e6)
    assert (judged.launches, judged.stopped) == (6, StopReason.LAUNCHES)


def test_two_pairs_mirror_each_other_so_that_drift_favours_nobody():
    machine = Machine(noise=1e-6, drift=0.02)
    judged = machine.gate(launches=4, most_launches=4)
    fours = ["".join(machine.order[start : start + 4]) for start in (0, 4)]
    assert set(fours) <= {"bhhb", "hbbh"}
    assert all(abs(test.decision.ratio.estimate - 1) < 1e-5 for test in judged.tests)


def test_the_order_is_drawn():
    orders = set()
    for seed in range(8):
        machine = Machine()
        machine.gate(launches=2, seed=seed)
        orders.add("".join(machine.order[:4]))
    assert orders == {"bhhb", "hbbh"}


def test_a_tree_whose_suite_cannot_run_ends_it_with_the_reason():
    def run(tree, arguments, seconds):
        return SuiteRun({}, {}, "pytest fails in head" if tree is HEAD else None)

    judged = gate_suite(Suite(BASE, HEAD), SuitePlan(seconds=10), run)
    assert (judged.reason, judged.side, judged.tests) == ("pytest fails in head", "head", ())


@pytest.mark.parametrize("plan", [{"seconds": 700}, {"most_launches": 9}, {"launches": 2}])
def test_all_looks_together_spend_alpha_and_no_more(plan, monkeypatch):
    spent = []

    def noting(pairs, *, margin, alpha):
        spent.append(alpha)
        return decide(pairs, margin=margin, alpha=alpha)

    monkeypatch.setattr(interleaving, "decide", noting)
    judged = Machine(ratio=1.03, noise=0.05).gate(alpha=0.02, **plan)
    assert judged.stopped is not StopReason.PRECISION
    assert len(spent) > 2
    assert sum(spent) == pytest.approx(0.02)
