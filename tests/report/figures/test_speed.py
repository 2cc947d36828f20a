"""Figures of speed: few cells a figure, and no failure is a point."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.analysis.sections import Section, sections
from harness.records import Interval, Status
from harness.report import figures
from harness.report.figures import marks, speed, style
from tests.helpers import synthetic
from tests.helpers.synthetic import SPEEDS, cell
from tests.helpers.synthetic_throughput import with_figures


def section(cells: int) -> Section:
    records = [
        record
        for size in range(1, cells + 1)
        for record in synthetic.throughput(cell((32, 64, size, size)), SPEEDS, seed=size)
    ]
    return sections(records)[0]


@pytest.mark.parametrize(
    ("cells", "sizes"), [(1, [1]), (15, [15]), (16, [8, 8]), (31, [11, 11, 9])]
)
def test_cells_are_spread_evenly_over_figures(cells: int, sizes: list[int]) -> None:
    assert [len(page) for page in figures.pages(section(cells))] == sizes


def test_a_figure_is_as_wide_as_promised_and_higher_with_more_cells(tmp_path: Path) -> None:
    sizes = []
    for cells in (2, 12):
        drawn = section(cells)
        figures.draw_speed(
            drawn, drawn.cells, figures.styles(drawn.implementations), tmp_path / "figure.png"
        )
        header = (tmp_path / "figure.png").read_bytes()[16:24]
        sizes.append((int.from_bytes(header[:4]), int.from_bytes(header[4:])))
    assert {width for width, _ in sizes} == {style.WIDTH * style.DPI}
    assert sizes[0][1] < sizes[1][1]


def test_failures_are_no_points(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    points: list[float] = []
    monkeypatch.setattr(marks, "dot", lambda _axes, x, *_, **__: points.append(x))
    failed = {"numpy": Status.WRONG, "torch_unfused": Status.TIMEOUT}
    drawn = sections(synthetic.throughput(cell(), SPEEDS, failed=failed))[0]
    figures.draw_speed(
        drawn, drawn.cells, figures.styles(drawn.implementations), tmp_path / "figure.png"
    )
    assert len(points) == 4  # two medians, one ratio, A/A


def test_a_cell_without_a_floor_says_so_and_has_no_points(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    drawn = sections(
        [
            *synthetic.throughput(cell(), SPEEDS, failed={"numpy": Status.WRONG}),
            *synthetic.throughput(cell((8, 8, 8, 8)), SPEEDS, floor=False),
        ]
    )[0]
    points, remarks = [], []
    monkeypatch.setattr(marks, "dot", lambda _axes, x, *_, **__: points.append(x))
    monkeypatch.setattr(speed, "_remark", lambda _axes, _row, lines: remarks.append(lines))
    figures.draw_floors(
        drawn, drawn.cells, figures.styles(drawn.implementations), tmp_path / "figure.png"
    )
    assert sorted(round(point, 1) for point in points) == [2.1, 2.5, 6.5]
    assert remarks == [["numpy: WRONG"], ["no floor"]]


def test_an_endless_interval_leaves_the_figure_readable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    spans: list[float] = []

    def note(axis: Any, _: object) -> None:
        low, high = axis.get_view_interval()
        spans.append(high / low)

    monkeypatch.setattr(speed, "ticks", note)
    endless = [
        with_figures(record, ratio=Interval(1.0, 1e-300, 1e300))
        for record in synthetic.throughput(cell(), SPEEDS)
    ]
    drawn = sections(endless)[0]
    figures.draw_speed(
        drawn, drawn.cells, figures.styles(drawn.implementations), tmp_path / "figure.png"
    )
    assert 1 < max(spans) < 100


def drawn_axes(monkeypatch: pytest.MonkeyPatch, given: Section, folder: Path) -> list[Any]:
    """The two panels of a section's figure, as they were saved."""
    from matplotlib.figure import Figure

    saved: list[Any] = []
    monkeypatch.setattr(Figure, "savefig", lambda self, *_, **__: saved.extend(self.axes))
    figures.draw_speed(given, given.cells, figures.styles(given.implementations), folder / "x.png")
    return saved


def with_one_bad_cell() -> Section:
    bad = [
        with_figures(record, ratio=Interval(300.0, 0.001, 9e5))
        if record.implementation == "torch_unfused"
        else record
        for record in synthetic.throughput(cell((3, 3, 3, 3)), SPEEDS)
    ]
    good = [record for arms in section(6).cells for record in arms.arms.values()]
    return sections([*good, *bad])[0]


def test_one_bad_cell_does_not_stretch_the_axis_and_its_value_stands_at_the_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _, ratios = drawn_axes(monkeypatch, with_one_bad_cell(), tmp_path)
    low, high = ratios.get_xlim()
    assert low < 0.82
    assert 9.5 < high < 30
    assert "300" in [text.get_text() for text in ratios.texts]
    arrows = {line.get_marker() for line in ratios.lines}
    assert {"<", ">"} <= arrows


def test_axes_say_which_side_is_faster_and_what_a_call_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    times, ratios = drawn_axes(monkeypatch, section(2), tmp_path)
    assert ratios.get_xlabel().index("faster") < ratios.get_xlabel().index("slower")
    words = " ".join(times.get_xlabel().split())
    assert words == "a call: a training step, forward and backward, of the layer, under autograd"
    for axes in (times, ratios):
        assert len(axes.xaxis.get_majorticklocs()) > 2
        assert len(axes.xaxis.get_minorticklocs()) == 0
