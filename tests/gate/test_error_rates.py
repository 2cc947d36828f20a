"""The stopping rule's promises, by simulation: each test fails where a part of the rule is left
out, and says so by leaving it out.
"""

from __future__ import annotations

from math import log1p

import numpy as np
import pytest

from harness.gate.error_rates import MOST_LAUNCHES, error_rates, rule_for
from harness.gate.simulation import Launches, play
from harness.records import Verdict
from harness.statistics import stopping_rule
from harness.statistics.moderation import VariancePrior
from harness.statistics.stopping_rule import StoppingRule

# A margin that hides no false alarm, and a rate that few gates can tell from a broken one.
RULE = StoppingRule(margin=1e-4, alarms=0.05)
NOISE, GATES, CELLS = 0.02, 200, 8
BEYOND_CHANCE = 0.09  # of so many gates, where 0.05 is promised


@pytest.fixture(autouse=True)
def noise_is_known(monkeypatch):
    """Fits of priors take nine tenths of the time, and are tested elsewhere."""
    prior = VariancePrior(2 * NOISE**2, 1e3, rows=100)
    monkeypatch.setattr(
        stopping_rule, "open_priors", lambda cells, decided: {one.cell: prior for one in cells}
    )


def normal(random, launches, cells=CELLS):
    base, canary, head = random.normal(0, NOISE, size=(3, launches, cells))
    return Launches(head - base, canary - base, (1.0,) * cells)


def alarms(rule=RULE, draw=normal, budget=10.0):
    [rates] = error_rates(rule, draw, [budget], GATES, seed=0, effects=(0.0,))
    return rates.alarms / rates.gates


def test_equal_versions_alarm_no_oftener_than_promised():
    assert alarms() <= BEYOND_CHANCE


def test_looks_that_each_have_the_whole_level_alarm_too_often(monkeypatch):
    monkeypatch.setattr(stopping_rule, "_nominal", lambda level, looks: (level,) * len(looks))
    assert alarms() > BEYOND_CHANCE


def test_cells_that_each_have_the_whole_level_alarm_too_often():
    assert alarms(StoppingRule(margin=1e-4, alarms=CELLS * RULE.alarms)) > BEYOND_CHANCE


def one_arm_far_off(random, launches):
    made = normal(random, launches)
    made.head[random.random(made.head.shape) < 0.1] += 20 * NOISE
    return made


def test_outlying_launches_raise_no_alarm(monkeypatch):
    prior = VariancePrior(2 * NOISE**2, 4.0, rows=100)
    monkeypatch.setattr(
        stopping_rule, "open_priors", lambda cells, decided: {one.cell: prior for one in cells}
    )
    pilot_only = StoppingRule(alarms=0.05, most_launches=3)
    kept = alarms(pilot_only, one_arm_far_off, budget=3.0)
    monkeypatch.setattr(stopping_rule, "LEFT_OUT", 1)
    assert kept < alarms(pilot_only, one_arm_far_off, budget=3.0)


def test_larger_effects_are_found_oftener_and_in_fewer_launches():
    rule = StoppingRule()
    rates = list(error_rates(rule, normal, [6.0], 40, seed=0))
    powers = [one.power[0] for one in rates[1:]]
    assert powers == sorted(powers)
    assert powers[-1] == 1
    assert [one.effect for one in rates] == [0.0, 0.03, 0.05, 0.1, 0.2]


def test_a_larger_budget_finds_more():
    little, much = error_rates(StoppingRule(), normal, [3.0, 10.0], 60, seed=0, effects=(0.06,))
    assert much.found > little.found
    assert much.undecided < little.undecided


def test_a_false_alarm_is_one_in_a_cell_where_nothing_was_planted():
    def slower_elsewhere(random, launches):
        return normal(random, launches).slowed(log1p(0.5), cell=1)

    [rates] = error_rates(StoppingRule(), slower_elsewhere, [6.0], 20, seed=0, effects=(0.5,))
    assert (rates.found, rates.alarms) == (20, 20)


def test_the_budget_goes_to_cells_that_are_open():
    """Two cells are decided by the pilot, so the third may have the launches that they leave."""
    head = np.zeros((12, 3))
    head[:, 2] = log1p(0.03)
    played = play(StoppingRule(), Launches(head, head[:0], (1.0, 1.0, 1.0)), budget=14)
    assert played.verdicts == (Verdict.SAME, Verdict.SAME, Verdict.AMBIGUOUS)
    assert (played.launches, played.seconds, played.undecided) == (14, 14, 1)


def test_a_budget_below_the_pilot_makes_the_pilot():
    head = np.zeros((12, 3))
    assert play(StoppingRule(), Launches(head, head[:0], (1.0,) * 3), budget=0).launches == 9


def test_the_number_of_launches_follows_the_budget():
    mosts = [rule_for(StoppingRule(), budget, [1.0]).most_launches for budget in (1, 6, 1000)]
    assert mosts == [3, 12, MOST_LAUNCHES]
