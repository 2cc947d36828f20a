"""Which cells of a gate are counted, and that counts stand beside a verdict without changing it."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from harness.analysis.gate_outcomes import GateOutcome, GateVerdict
from harness.gate import counted_cells as product
from harness.gate.counted_cells import LONGEST, counted_cells
from harness.instruction_counts import Agreement, CountOutcome, Counts
from harness.isolation import Arm
from harness.isolation.places import Place
from harness.records import Cost, Seconds, Status
from harness.report.gate_files import gate_document
from harness.report.machine_readable import to_text
from harness.report.markdown.gate import gate_page
from harness.report.terminal.gate import gate_table
from tests.helpers.gate_facts import PAIR, cells, facts, records

BASE, HEAD = Arm("mine", Place(path="base")), Arm("mine", Place(path="head"))
ARMS = {PAIR: (BASE, HEAD)}
LESS, MORE = Counts(1_000_000, 600, 0), Counts(1_300_000, 600, 0)


@pytest.fixture
def counting(monkeypatch):
    """Count a third more in head than in base, and keep what was asked for."""
    asked = []

    def count_both(calls, base, head):
        asked.append((base, head, [call.way for call in calls]))
        return [
            (CountOutcome(call, Status.OK, LESS), CountOutcome(call, Status.OK, MORE))
            for call in calls
        ]

    monkeypatch.setattr(product, "count_both", count_both)
    return asked


def counted(ratios, made=None, arms=ARMS):
    return counted_cells(cells(ratios), made or records(ratios), arms, lambda _: None)


def test_every_cell_is_counted_in_one_process_a_side_and_the_smallest_from_python(counting):
    counts = counted((1.0, 1.2))
    assert counting == [(BASE.place, HEAD.place, ["layer", "layer", "batch_norm"])]
    assert [one.counts_of for one in counts] == ["layer", "layer", "batch_norm"]


def test_counts_agree_with_time_or_it_is_written_that_they_do_not(counting):
    same, slower, whole = counted((1.0, 1.2))
    assert (same.agreement, slower.agreement) == (Agreement.DISAGREES, Agreement.AGREES)
    assert whole.agreement is Agreement.UNDECIDED
    assert slower.change.instruction_ratio == pytest.approx(1.3)


def test_they_change_no_verdict_and_are_on_the_page_the_terminal_and_in_the_document(counting):
    found = facts(cells((1.0, 1.0)), counts=counted((1.0, 1.0)))
    page, output = gate_page(found), StringIO()
    Console(file=output, width=160).print(gate_table(found))
    assert found.verdict is GateVerdict.PASSED
    for text in (page, output.getvalue()):
        words = " ".join(text.split())
        assert "0 agree with time, 2 disagree" in words
        assert "1.3000" in words
    assert "batch_norm from Python" in page
    assert "batch_norm from Python" not in output.getvalue(), "it agrees or is not timed"
    [one, *_] = json.loads(to_text(gate_document(found)))["facts"]["counts"]
    assert (one["head_counts"]["instructions"], one["agreement"]) == (1_300_000, "DISAGREES")


def test_without_counts_nothing_is_written_of_them():
    found = facts(cells((1.0,)))
    output = StringIO()
    Console(file=output, width=160).print(gate_table(found))
    assert "nstructions" not in gate_page(found) + output.getvalue()


@pytest.mark.parametrize("cost", ["prepare_seconds", "compile_seconds"])
def test_what_would_take_long_is_left_out_with_the_reason(counting, cost):
    long = Cost(**{cost: Seconds(LONGEST)})
    made = [replace(one, cost=long) if one.implementation == "head" else one for one in records()]
    counts = counted((1.0,), made)
    assert counting == []
    assert {one.agreement for one in counts} == {Agreement.SILENT}
    assert "beyond 60 s" in counts[0].reason


def test_all_together_have_a_limit_too(counting, monkeypatch):
    monkeypatch.setattr(product, "TOGETHER", 0.0)
    assert ["the 0 s for all" in one.reason for one in counted((1.0,))] == [True, True]


def test_a_side_that_cannot_be_counted_has_its_reason_and_is_silent(monkeypatch):
    def count_both(calls, *_):
        missing = [CountOutcome(call, Status.UNAVAILABLE, reason="no valgrind") for call in calls]
        return list(zip(missing, missing, strict=True))

    monkeypatch.setattr(product, "count_both", count_both)
    counts = counted((1.0,))
    assert {one.agreement for one in counts} == {Agreement.SILENT}
    assert counts[0].reason == "base: UNAVAILABLE: no valgrind; head: UNAVAILABLE: no valgrind"
    assert "2 not counted" in gate_page(facts(cells((1.0,)), counts=counts))


def test_what_has_no_times_or_is_not_on_the_cpu_is_not_counted(counting):
    made = cells((1.0, 1.0))
    on_gpu = replace(made[0], cell=replace(made[0].cell, device="cuda"))
    broken = replace(made[1], outcome=GateOutcome.BROKEN)
    assert counted_cells([on_gpu, broken], records(), ARMS, lambda _: None) == ()
    assert counting == []


def test_arms_in_several_places_are_counted_in_as_many_processes(counting):
    other = replace(PAIR, implementation="other")
    elsewhere = Place(path="base", variables=(("A", "1"),))
    made = cells((1.0,))
    both = [*made, replace(made[0], implementation="other")]
    arms = {PAIR: (BASE, HEAD), other: (replace(BASE, place=elsewhere), HEAD)}
    counted_cells(both, records(), arms, lambda _: None)
    assert [base for base, _, _ in counting] == [BASE.place, elsewhere]
