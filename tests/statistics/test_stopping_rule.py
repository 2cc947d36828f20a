from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from math import log1p

import numpy as np
import pytest

from harness.records import Verdict
from harness.statistics import stopping_rule
from harness.statistics.gate_noise import CellLaunches
from harness.statistics.moderation import VariancePrior
from harness.statistics.stopping_rule import Standing, StoppingRule, look, undecided

RULE = StoppingRule()
QUIET, PILOT = 0.005, 3


def cell(name, center, launches=PILOT, noise=QUIET, seed=0):
    values = np.random.default_rng((seed, *name.encode())).normal(log1p(center), noise, launches)
    return CellLaunches(name, tuple(values.tolist()))


def several(count, center=0.0, **keywords):
    return [cell(str(number), center, **keywords) for number in range(count)]


def verdicts(standings):
    return [one.verdict for one in standings]


@pytest.mark.parametrize(
    ("center", "verdict"), [(0.0, Verdict.SAME), (0.15, Verdict.SLOWER), (-0.15, Verdict.FASTER)]
)
def test_a_quiet_cell_is_decided_by_the_pilot(center, verdict):
    *_, asked = look(RULE, [*several(9), cell("asked", center)])
    assert asked.verdict is verdict


def test_other_cells_tell_how_noisy_one_is():
    asked = cell("asked", 0.1, noise=0.02)
    [alone] = look(RULE, [asked])
    *_, among = look(RULE, [*several(9, noise=0.02), asked])
    assert among.interval.high / among.interval.low < alone.interval.high / alone.interval.low


def test_a_noisy_cell_does_not_vouch_for_itself():
    quiet = several(9)
    noisy = CellLaunches("asked", (0.0, 0.3, 0.6))
    *_, asked = look(RULE, [*quiet, noisy])
    assert asked.interval.low < 1 / (1 + RULE.margin)
    assert asked.interval.high > 1.6


def test_a_canary_as_noisy_makes_an_alarm_harder():
    cells = several(10)
    noisy = [replace(one, canary=(0.1, -0.1, 0.0)) for one in cells]
    quiet_width, noisy_width = (look(RULE, given)[0].interval.high for given in (cells, noisy))
    assert noisy_width > quiet_width


def test_two_launches_that_are_off_together_raise_no_alarm():
    cells = several(9)
    off = CellLaunches("off", (0.12, 0.001, 0.121))
    *_, asked = look(RULE, [*cells, off])
    assert asked.verdict is Verdict.AMBIGUOUS


@pytest.fixture
def known_noise(monkeypatch):
    """Other cells tell the same, however many they are."""
    prior = VariancePrior(0.004**2, 40.0, rows=10)
    monkeypatch.setattr(
        stopping_rule, "open_priors", lambda cells, decided: {one.cell: prior for one in cells}
    )


def test_an_alarm_needs_more_evidence_among_more_cells(known_noise):
    """The interval of the cell alone is beyond the margin either way."""
    rule = StoppingRule(margin=0.001)
    asked = CellLaunches("asked", (0.008, 0.014, 0.011))
    few, many = (look(rule, [*several(count), asked])[-1] for count in (9, 999))
    assert few.looks[-1] == many.looks[-1]
    assert few.looks[-1].verdict is Verdict.SLOWER
    assert (few.verdict, many.verdict) == (Verdict.SLOWER, Verdict.AMBIGUOUS)


def test_what_is_decided_stays_so():
    cells = [*several(9), cell("asked", 0.15)]
    first = look(RULE, cells)
    calmed = [replace(one, log_ratios=(*one.log_ratios, 0.0, 0.0, 0.0)) for one in cells]
    assert look(RULE, calmed, first) == first


def test_only_open_cells_get_another_launch_and_the_likeliest_alarm_is_first():
    near, nearer = cell("near", 0.028, noise=0.02), cell("nearer", 0.045, noise=0.02)
    standings = look(RULE, [*several(8, noise=0.003), near, nearer])
    assert undecided(RULE, standings) == ("nearer", "near")


def test_a_cell_with_all_its_launches_gets_no_more():
    rule = replace(RULE, most_launches=PILOT)
    standings = look(rule, [*several(9), cell("near", 0.028, noise=0.02)])
    assert standings[-1].verdict is Verdict.AMBIGUOUS
    assert undecided(rule, standings) == ()


def test_each_look_is_kept_with_what_it_may_spend():
    cells = several(10, 0.03, noise=0.03, launches=5)
    standings: tuple[Standing, ...] = ()
    for count in (3, 4, 5):
        made = [replace(one, log_ratios=one.log_ratios[:count]) for one in cells]
        standings = look(RULE, made, standings)
    looks = next(one.looks for one in standings if not one.is_decided)
    assert [one.launches for one in looks] == [3, 4, 5]
    assert all(before.share < after.share for before, after in pairwise(looks))


def test_a_last_look_without_a_launch_spends_what_is_left():
    cells = [*several(9), cell("near", 0.045, noise=0.02)]
    before = look(RULE, cells)
    after = look(RULE, cells, before, last=True)
    assert [one.share for one in after[-1].looks] == [1.0]
    assert after[-1].interval.low > before[-1].interval.low


def test_a_cell_that_cannot_be_slower_leaves_no_doubt():
    *_, faster, slower = look(RULE, [*several(8), cell("down", -0.03), cell("up", 0.03)])
    assert (faster.verdict, faster.may_be_slower) == (Verdict.AMBIGUOUS, False)
    assert (slower.verdict, slower.may_be_slower) == (Verdict.AMBIGUOUS, True)


def test_launches_that_all_agree_to_the_last_bit_are_judged_too():
    same, slower = (CellLaunches(name, (value,) * 3) for name, value in (("a", 0.0), ("b", 0.1)))
    assert verdicts(look(RULE, [same, slower])) == [Verdict.SAME, Verdict.SLOWER]


def test_fewer_launches_than_the_pilot_are_refused():
    with pytest.raises(ValueError, match="needs the pilot's 3"):
        look(RULE, [cell("short", 0.0, launches=2)])


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"alarms": 0.0}, "no probability"),
        ({"alpha": 1.0}, "no probability"),
        ({"margin": 0.0}, "not above 0"),
        ({"pilot": 2}, "at least 3"),
        ({"pilot": 13}, "no more than there may be"),
    ],
)
def test_a_rule_that_decides_nothing_is_refused(keys, message):
    with pytest.raises(ValueError, match=message):
        StoppingRule(**keys)
