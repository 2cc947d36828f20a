"""Throughput cells lie in sections that differ in the problem only, arms side by side."""

from __future__ import annotations

from dataclasses import replace

from harness.analysis.sections import cells_of_several_sessions, sections
from harness.records import CANARY
from tests.helpers.synthetic import BASELINE, SHAPES, SPEEDS, case, cell, throughput


def test_cells_of_other_problems_share_a_section_and_are_labelled_by_what_differs() -> None:
    records = [record for shape in SHAPES[:2] for record in throughput(cell(shape), SPEEDS)]
    [section] = sections([case("numpy", "data/0"), *records])
    assert section.common == "float32 relu"
    assert [cell.label for cell in section.cells] == ["32×64×112×112", "32×64×56×56"]


def test_cells_of_other_conditions_have_a_section_of_their_own() -> None:
    found = sections(throughput(cell(threads=1), SPEEDS) + throughput(cell(threads=2), SPEEDS))
    assert [section.definition.threads for section in found] == [1, 2]


def test_the_baseline_comes_first_and_the_canary_is_no_arm() -> None:
    [section] = sections(throughput(cell(), {"numpy": 9.5, CANARY: 1.0, BASELINE: 1.0}))
    assert section.implementations == (BASELINE, "numpy")
    assert section.cells[0].canary is not None


def test_an_arm_that_another_session_measured_makes_its_cell_one_of_several() -> None:
    records = throughput(cell(), SPEEDS)
    [alone] = sections(records)
    [resumed] = sections([*records[:-1], replace(records[-1], session="s2")])
    assert cells_of_several_sessions(alone) == []
    assert cells_of_several_sessions(resumed) == list(resumed.cells)
