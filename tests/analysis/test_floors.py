"""Distances from the hardware's limit, and each reason for which there is none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.analysis.floors import (
    MissingFloor,
    any_floor,
    floor_distance,
    has_floors,
    missing_floors,
    quicker_stores,
)
from harness.analysis.sections import Section, sections
from tests.helpers.synthetic import ABSENT_FLOOR, BASELINE, SHAPES, SPEEDS, cell, old, throughput
from tests.helpers.synthetic_throughput import with_figures


def section_of(*floors: bool) -> Section:
    """A section with a cell for each, which has a floor or not."""
    cells = [
        throughput(cell(shape), SPEEDS, floor=floor)
        for shape, floor in zip(SHAPES, floors, strict=False)
    ]
    return sections([record for records in cells for record in records])[0]


def test_a_distance_is_over_the_cells_that_have_a_floor() -> None:
    distance = floor_distance(section_of(True, False, True), BASELINE)
    assert distance.covered == 2
    assert distance.mean == pytest.approx(2.5, rel=0.05)  # the floor takes 0.4 of the baseline
    assert floor_distance(section_of(False), BASELINE).mean is None


def test_each_reason_comes_once_with_its_cells() -> None:
    labels = ("32×64×56×56", "32×256×56×56")
    assert missing_floors(section_of(True, False, False)) == [MissingFloor(ABSENT_FLOOR, labels)]
    assert missing_floors(section_of(True)) == []


def test_one_launch_gives_no_interval_and_so_no_reason_of_its_own() -> None:
    lone = [
        with_figures(record, floor=replace(record.figures.floor, ratio=None))
        for record in throughput(cell(), SPEEDS)
        if record.figures and record.figures.floor
    ]
    [section] = sections(lone)
    [missing] = missing_floors(section)
    assert missing.reason is None
    assert has_floors(section)
    assert not any_floor(section.cells)


def test_records_from_before_there_was_a_floor_have_neither_it_nor_a_reason() -> None:
    [section] = sections(old(throughput(cell(), SPEEDS)))
    assert (has_floors(section), missing_floors(section)) == (False, [])


def test_stores_are_counted_by_cell() -> None:
    assert quicker_stores(section_of(True, False, True)) == {"streaming": 2}
