"""What counts say of base and head, beside time."""

from __future__ import annotations

import pytest

from harness.instruction_counts import (
    Agreement,
    CountedCall,
    CountOutcome,
    Counts,
    Direction,
    compare_counts,
)
from harness.instruction_counts.testimony import change_of_counts
from harness.records import Status, Verdict
from implementations.interface import Phase, Problem

CALL = CountedCall("fused_cpu", Problem((8, 4)), Phase.INFERENCE)
BASE = Counts(1_000_000, 20_000, 10_000)


def counted(instructions=1.0, lines=1.0):
    counts = Counts(
        round(BASE.instructions * instructions),
        round(BASE.read_lines * lines),
        round(BASE.written_lines * lines),
    )
    return CountOutcome(CALL, Status.OK, counts)


def agreement(head, verdict):
    return compare_counts(counted(), head, verdict, margin=0.03).agreement


@pytest.mark.parametrize(
    ("instructions", "lines", "direction"),
    [
        (1.0, 1.0, Direction.SAME),
        (1.0007, 1.001, Direction.SAME),  # the same code in another folder
        (1.003, 1.0, Direction.MORE),
        (0.9, 1.0, Direction.FEWER),
        (1.0, 1.5, Direction.MORE),  # one more pass over memory
        (1.2, 0.5, Direction.MIXED),
    ],
)
def test_a_change_is_one_beyond_what_the_same_code_differs_by(instructions, lines, direction):
    head = counted(instructions, lines)
    assert change_of_counts(BASE, head.counts).direction is direction


def test_a_few_lines_more_are_no_change_however_few_there_were():
    change = change_of_counts(Counts(1000, 100, 20), Counts(1000, 140, 90))
    assert (change.lines, change.line_ratio) == (Direction.SAME, pytest.approx(230 / 120))
    assert change_of_counts(Counts(1000, 0, 0), Counts(1000, 0, 0)).line_ratio is None


@pytest.mark.parametrize(
    ("more", "direction"), [(200, Direction.SAME), (-200, Direction.SAME), (2000, Direction.MORE)]
)
def test_what_processes_differ_by_is_no_change_of_a_small_call(more, direction):
    change = change_of_counts(Counts(20_000, 0, 0), Counts(20_000 + more, 0, 0))
    assert change.instructions is direction


@pytest.mark.parametrize(
    ("instructions", "verdict", "expected"),
    [
        (1.1, Verdict.SLOWER, Agreement.AGREES),
        (1.0, Verdict.SLOWER, Agreement.DISAGREES),
        (0.9, Verdict.SLOWER, Agreement.DISAGREES),
        (0.9, Verdict.FASTER, Agreement.AGREES),
        (1.1, Verdict.FASTER, Agreement.DISAGREES),
        (1.0, Verdict.SAME, Agreement.AGREES),
        (1.02, Verdict.SAME, Agreement.AGREES),  # within the margin
        (1.1, Verdict.SAME, Agreement.DISAGREES),
        (1.1, Verdict.AMBIGUOUS, Agreement.UNDECIDED),
        (1.1, None, Agreement.UNDECIDED),
    ],
)
def test_counts_agree_with_time_or_do_not(instructions, verdict, expected):
    assert agreement(counted(instructions), verdict) is expected


def test_counts_that_point_both_ways_decide_nothing():
    assert agreement(counted(1.2, 0.5), Verdict.SLOWER) is Agreement.UNDECIDED


def test_without_a_count_of_either_side_the_witness_is_silent():
    refused = CountOutcome(CALL, Status.UNSUPPORTED, reason="it refuses")
    found = compare_counts(counted(), refused, Verdict.SLOWER, margin=0.03)
    assert (found.agreement, found.change) == (Agreement.SILENT, None)
    assert found.head.reason == "it refuses"
