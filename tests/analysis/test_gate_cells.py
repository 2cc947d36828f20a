"""A gate says what became of each cell from base to head, and of the whole; what is equal raises no
alarm, however many cells there are.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.analysis.gate_cells import gate_cells
from harness.analysis.gate_facts import GateCell, GatePair
from harness.analysis.gate_outcomes import GateOutcome, GateVerdict
from harness.records import Interval, Status
from tests.helpers.gate_facts import HEAD, PAIR, cells, decided, facts, records, renamed
from tests.helpers.synthetic import BASELINE, cell, throughput

OK, WRONG, CRASHED = Status.OK, Status.WRONG, Status.CRASHED
REFUSED, MISSING = Status.UNSUPPORTED, Status.UNAVAILABLE


def outcomes(made: list[GateCell]) -> list[GateOutcome]:
    return [one.outcome for one in made]


def test_what_is_slower_or_faster_beyond_the_margin_is_found_and_what_is_equal_is_the_same():
    made = cells((1.0, 1.1, 0.9))
    assert outcomes(made) == [GateOutcome.SAME, GateOutcome.SLOWER, GateOutcome.FASTER]
    slower = made[1]
    assert slower.ratio.low < 1.1 < slower.ratio.high
    assert slower.head_seconds > slower.base_seconds
    assert facts(made).verdict is GateVerdict.REGRESSION


@pytest.mark.parametrize(
    ("base", "head", "outcome", "verdict"),
    [
        (OK, WRONG, GateOutcome.BROKEN, GateVerdict.REGRESSION),
        (OK, CRASHED, GateOutcome.BROKEN, GateVerdict.REGRESSION),
        (CRASHED, WRONG, GateOutcome.BROKEN, GateVerdict.REGRESSION),
        (MISSING, WRONG, GateOutcome.BROKEN, GateVerdict.REGRESSION),
        (WRONG, OK, GateOutcome.MENDED, GateVerdict.PASSED),
        (OK, REFUSED, GateOutcome.GONE, GateVerdict.REGRESSION),
        (REFUSED, OK, GateOutcome.NEW, GateVerdict.PASSED),
        (REFUSED, REFUSED, GateOutcome.UNSUPPORTED, GateVerdict.UNDECIDED),
        (WRONG, REFUSED, GateOutcome.UNSUPPORTED, GateVerdict.UNDECIDED),
        (MISSING, OK, GateOutcome.AMBIGUOUS, GateVerdict.UNDECIDED),
        (OK, MISSING, GateOutcome.AMBIGUOUS, GateVerdict.UNDECIDED),
        (MISSING, MISSING, GateOutcome.AMBIGUOUS, GateVerdict.UNDECIDED),
    ],
)
def test_statuses_decide_where_times_cannot(base, head, outcome, verdict):
    given = {"base": base, "head": head}
    [made] = cells((1.0,), {side: status for side, status in given.items() if status is not OK})
    assert made.outcome is outcome
    assert made.reason
    assert facts([made]).verdict is verdict


def test_where_base_lacks_the_implementation_head_is_measured_alone():
    alone = renamed(throughput(cell(), {BASELINE: 1.0}), base=HEAD)
    pair = GatePair("mine", None, HEAD)
    [made] = gate_cells(alone, [pair], decided())
    assert made.outcome is GateOutcome.NEW
    failed = renamed(throughput(cell(), {BASELINE: 1.0}, failed={BASELINE: WRONG}), base=HEAD)
    [made] = gate_cells(failed, [pair], decided())
    assert made.outcome is GateOutcome.BROKEN


def test_where_head_lacks_the_implementation_it_is_gone_everywhere():
    [made] = gate_cells([], [GatePair("mine", BASELINE, None)], decided())
    assert (made.outcome, made.cell) == (GateOutcome.GONE, None)


def test_a_flag_forbids_a_verdict_and_no_regression_can_be_ruled_out():
    [made] = cells((1.0,), flagged=[HEAD])
    assert made.outcome is GateOutcome.AMBIGUOUS
    assert made.reason == "no verdict: DISTURBED"
    assert facts([made]).verdict is GateVerdict.UNDECIDED


def test_one_launch_decides_nothing_and_says_why():
    made = records((1.0,))
    bare = [
        replace(one, figures=replace(one.figures, ratio=None), samples=one.samples[:5])
        for one in made
    ]
    [found] = gate_cells(bare, [PAIR], decided())
    assert found.is_undecided
    assert found.reason == "one launch gives no interval"


def ambiguous(low: float, high: float) -> GateCell:
    ratio = Interval((low * high) ** 0.5, low, high)
    return GateCell("mine", cell(), GateOutcome.AMBIGUOUS, ratio=ratio, p_value=0.2)


def test_an_interval_that_reaches_out_on_the_faster_side_alone_lets_the_gate_pass():
    assert facts([ambiguous(0.9, 1.02)]).verdict is GateVerdict.PASSED
    assert facts([ambiguous(0.9, 1.04)]).verdict is GateVerdict.UNDECIDED


def test_a_session_that_is_not_whole_passes_no_gate_and_hides_no_regression():
    whole = cells((1.0,))
    assert facts(whole).verdict is GateVerdict.PASSED
    assert facts(whole, incomplete=("2 of 9 missing",)).verdict is GateVerdict.UNDECIDED
    assert facts(cells((1.1,)), incomplete=("torn",)).verdict is GateVerdict.REGRESSION


def test_a_gate_that_measured_nothing_is_undecided():
    assert facts([]).verdict is GateVerdict.UNDECIDED


def test_several_implementations_are_pairs_of_their_own():
    other = renamed(records((1.0,), {"head": WRONG}), base="base b", head="head b")
    pairs = [PAIR, GatePair("b", "base b", "head b")]
    made = gate_cells([*records((1.0,)), *other], pairs, decided())
    assert [(one.implementation, one.outcome) for one in made] == [
        ("mine", GateOutcome.SAME),
        ("b", GateOutcome.BROKEN),
    ]
