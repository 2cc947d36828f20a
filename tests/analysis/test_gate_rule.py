"""Recorded launches are looked at again in order, and decide as the stopping rule says."""

from __future__ import annotations

from math import log

import pytest

from harness.analysis.gate_facts import GateCell
from harness.analysis.gate_outcomes import GateOutcome
from harness.analysis.gate_rule import rule_over_cells
from harness.statistics.stopping_rule import StoppingRule
from tests.helpers.synthetic import cell

RULE = StoppingRule()
QUIET = (0.001, -0.001, 0.002, -0.002)


def measured(ratio: float, launches: int = 4) -> GateCell:
    """A cell whose launches lie about this ratio."""
    ratios = tuple(log(ratio) + noise for noise in QUIET[:launches])
    return GateCell("mine", cell(), GateOutcome.AMBIGUOUS, log_ratios=ratios, canary=QUIET)


def outcomes(*cells: GateCell) -> list[GateOutcome]:
    return [one.outcome for one in rule_over_cells(cells, RULE)]


def test_quiet_cells_are_decided_by_what_they_are():
    equal = [measured(1.0)] * 9
    assert outcomes(measured(1.1), measured(0.9), *equal) == [
        GateOutcome.SLOWER,
        GateOutcome.FASTER,
        *[GateOutcome.SAME] * 9,
    ]


def test_the_interval_is_the_rules_and_holds_at_every_look():
    [found] = rule_over_cells([measured(1.1)], RULE)
    assert found.ratio is not None
    assert found.ratio.estimate == pytest.approx(1.1, rel=0.01)
    assert found.ratio.low > 1.03


def test_a_cell_with_fewer_launches_than_a_look_takes_is_undecided_and_says_what_it_lacks():
    short, whole = rule_over_cells([measured(1.1, launches=2), measured(1.0)], RULE)
    assert short.outcome is GateOutcome.AMBIGUOUS
    assert (
        short.reason == "only 2 of the 3 launches that a first look takes; give gate.seconds more"
    )
    assert whole.outcome is GateOutcome.SAME


def test_the_same_records_decide_alike_whatever_order_their_cells_come_in():
    cells = [measured(1.1), measured(1.0), measured(0.9)]
    assert outcomes(*cells) == outcomes(*cells[::-1])[::-1]


def test_nothing_measured_decides_nothing():
    assert rule_over_cells([], RULE) == []
