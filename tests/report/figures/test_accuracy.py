"""Figures of speed against accuracy: a panel a cell, what none beats is ringed."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.analysis.sections import Section, sections
from harness.report import figures
from harness.report.figures import accuracy, marks
from tests.helpers import synthetic
from tests.helpers.synthetic import BASELINE, SPEEDS, cell
from tests.helpers.synthetic_throughput import ERRORS, with_figures
from tests.helpers.synthetic_throughput import accuracy as accurate

NUMPY = 6e-8  # its error


def draw(section: Section, folder: Path) -> bytes:
    look = figures.styles(section.implementations)
    figures.draw_accuracy(section, section.cells, look, folder / "figure.png")
    return (folder / "figure.png").read_bytes()


@pytest.fixture
def dots(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, float, bool]]:
    """Where marks stand, and whether they are hollow."""
    found: list[tuple[float, float, bool]] = []
    monkeypatch.setattr(
        marks, "dot", lambda _axes, x, y, _style, *, hollow: found.append((x, y, hollow))
    )
    return found


def test_an_arm_stands_at_its_error_and_its_ratio(
    dots: list[tuple[float, float, bool]], tmp_path: Path
) -> None:
    draw(sections(synthetic.throughput(cell(), SPEEDS, flagged=["numpy"]))[0], tmp_path)
    assert (ERRORS[BASELINE], 1.0, False) in dots
    [numpy] = [dot for dot in dots if dot[0] == NUMPY]
    assert numpy[1] == pytest.approx(9.5, rel=0.05)
    assert [hollow for *_, hollow in dots].count(True) == 1 == numpy[2]


def test_an_arm_without_any_error_stands_left_of_all_others(
    dots: list[tuple[float, float, bool]], tmp_path: Path
) -> None:
    records = [
        with_figures(record, accuracy=accurate(cell(), 0.0))
        if record.implementation == "numpy"
        else record
        for record in synthetic.throughput(cell(), SPEEDS)
    ]
    draw(sections(records)[0], tmp_path)
    assert min(dots)[0] == pytest.approx(accuracy.BELOW * ERRORS[BASELINE])


@pytest.mark.parametrize(("cells", "rows"), [(1, 1), (3, 1), (4, 2)])
def test_there_are_up_to_three_panels_beside_each_other(
    cells: int, rows: int, tmp_path: Path
) -> None:
    records = [
        record
        for size in range(1, cells + 1)
        for record in synthetic.throughput(cell((32, 64, size, size)), SPEEDS, seed=size)
    ]
    height = int.from_bytes(draw(sections(records)[0], tmp_path)[20:24])
    inches = accuracy.MARGINS + rows * accuracy.PANEL
    assert height == pytest.approx(figures.style.DPI * inches, abs=1)
