"""Tallies count each record once, and no failure enters a mean."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.analysis.multiple_testing import correct_verdicts
from harness.analysis.outcomes import Qualified, WithoutVerdict
from harness.analysis.sections import sections
from harness.analysis.tallies import ALL_CASES, case_tallies, property_matrix, speed_tallies
from harness.records import AnyRecord, Flag, Status, ThroughputRecord, Verdict
from tests.helpers.synthetic import BASELINE, SHAPES, case, cell, throughput

CASES = [
    case("numpy", "novel/0"),
    case("numpy", "novel/1", Status.UNSUPPORTED),
    case("numpy", "other/0", Status.WRONG),
    case("numpy", "other/1", Status.WRONG, explanation="known"),
    case("numpy", "other/2", mistrusted=["output"]),
    case("torch_native", "novel/0"),
]


def test_outcomes_of_cases_come_with_passes_first_and_refusals_last() -> None:
    numpy, torch_native = case_tallies(CASES)
    assert list(numpy.outcomes.items()) == [
        (Status.OK, 1),
        (Status.WRONG, 1),
        (Qualified.DECLARED, 1),
        (Qualified.MISTRUSTED, 1),
        (Status.UNSUPPORTED, 1),
    ]
    assert (numpy.cases, numpy.passed, numpy.failed) == (5, 1, {Status.WRONG: 1})
    assert torch_native.others == {}


def test_the_worst_error_is_of_the_cases_that_passed_and_were_trusted() -> None:
    assert [tally.worst for tally in case_tallies(CASES)] == [0.25, 0.25]
    assert [tally.worst for tally in case_tallies(CASES[1:5])] == [None]


def test_a_row_of_the_matrix_has_the_implementations_that_have_cases_there() -> None:
    matrix = property_matrix(CASES)
    implementations = {label: list(row) for label, row in matrix.items()}
    assert implementations == {
        "novel": ["numpy", "torch_native"],
        "other": ["numpy"],
        ALL_CASES: ["numpy", "torch_native"],
    }


def timed(speed: float, number: int, **given: Any) -> list[ThroughputRecord]:
    speeds = {BASELINE: 1.0, "numpy": speed}
    return throughput(cell(SHAPES[number]), speeds, seed=number, noise=0.001, **given)


def flagged(records: list[ThroughputRecord], flag: Flag) -> list[ThroughputRecord]:
    return [replace(record, flags=(flag,)) for record in records]


def test_the_geometric_mean_is_over_cells_with_a_ratio_that_is_plausible() -> None:
    records: list[AnyRecord] = [
        *timed(2.0, 0),
        *timed(8.0, 1),
        *timed(9.0, 2, failed={"numpy": Status.TIMEOUT}),
        *timed(9.0, 3, failed={BASELINE: Status.CRASHED}),
        *flagged(timed(0.1, 4), Flag.IMPLAUSIBLE),
    ]
    [section] = sections(records)
    [tally] = speed_tallies(section, correct_verdicts(records))
    assert (tally.cells, tally.covered) == (5, 2)
    assert tally.geometric_mean == pytest.approx(4.0, rel=0.01)
    assert tally.outcomes == {
        Verdict.SLOWER: 2,
        WithoutVerdict.NO_VERDICT: 1,
        WithoutVerdict.NO_RATIO: 1,
        Status.TIMEOUT: 1,
    }
