"""Figures: one look a name, few cells a figure, nothing clipped, and no global state."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.records import Status
from harness.report import figures
from harness.report.figures import speed, style
from harness.report.figures.curves import middle_of
from harness.report.views import Section, names, races, sections
from tests.helpers import synthetic
from tests.helpers.synthetic import BASELINE, SPEEDS, cell


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


def test_a_name_looks_the_same_in_all_figures_of_a_report() -> None:
    records = synthetic.everything()
    look = figures.styles(names(records))
    assert look[BASELINE].colour == style.COLOURS[0]
    assert look["none"].colour == style.GREY
    assert len({(style.colour, style.marker) for style in look.values()}) == len(look)


def test_more_names_than_colours_differ_in_their_markers() -> None:
    look = figures.styles([f"plugin_{number}" for number in range(20)])
    assert len({(style.colour, style.marker) for style in look.values()}) == 20


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
    monkeypatch.setattr(speed, "_dot", lambda _axes, x, *_, **__: points.append(x))
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
    monkeypatch.setattr(speed, "_dot", lambda _axes, x, *_, **__: points.append(x))
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
        replace(
            record,
            figures={
                **(record.figures or {}),
                "ratio": {"estimate": 1.0, "low": 1e-300, "high": 1e300},
            },
        )
        for record in synthetic.throughput(cell(), SPEEDS)
    ]
    drawn = sections(endless)[0]
    figures.draw_speed(
        drawn, drawn.cells, figures.styles(drawn.implementations), tmp_path / "figure.png"
    )
    assert 1 < max(spans) < 1e8


def test_curves_that_break_off_are_drawn_as_far_as_they_go(tmp_path: Path) -> None:
    race = races(synthetic.convergence(diverged=[("numpy", 0), ("none", 2)]))[0]
    figures.draw_curves(race, figures.styles(list(race.arms)), tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 0


def test_an_arm_that_was_evaluated_once_shows_as_a_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from matplotlib.axes import Axes

    drawn = []
    plot = Axes.plot
    monkeypatch.setattr(
        Axes,
        "plot",
        lambda axes, *given, **how: drawn.append((given, how)) or plot(axes, *given, **how),
    )
    race = races(synthetic.convergence(steps=10))[0]
    figures.draw_curves(race, figures.styles(list(race.arms)), tmp_path / "figure.png")
    points = {bool(how["marker"]) for (steps, _), how in drawn if len(steps) == 1}
    lines = {bool(how["marker"]) for (steps, _), how in drawn if len(steps) > 1}
    assert (points, lines) == ({True}, {False})


def test_the_middle_of_curves_is_the_median_of_the_seeds_where_all_are() -> None:
    assert middle_of([{1: 1.0, 2: 5.0, 3: 0.0}, {1: 3.0, 2: 7.0}, {1: 8.0, 2: 6.0}]) == (
        [1, 2],
        [3.0, 6.0],
    )
    assert middle_of([]) == ([], [])


def test_the_middle_of_a_long_curve_takes_neighbours_in_so_that_one_odd_step_does_not_show() -> (
    None
):
    level = dict.fromkeys(range(1, 1001), 2.0)
    steps, middle = middle_of([level | {500: 9.0}])
    assert (len(steps), set(middle)) == (1000, {2.0})
    slope = middle_of([{step: float(step) for step in level}])[1]
    assert slope[10:-10] == [float(step) for step in steps[10:-10]]


def test_importing_reports_loads_nothing_heavy_and_drawing_leaves_pyplot_alone(
    tmp_path: Path,
) -> None:
    program = """
import sys
from pathlib import Path
import harness.comparison, harness.report, harness.tables
heavy = {"matplotlib", "numpy", "scipy", "jinja2", "torch", "rich"} & sys.modules.keys()
assert not heavy, heavy
from tests.report import synthetic
contents = synthetic.journal(Path(sys.argv[1]), synthetic.convergence())
harness.report.write(contents, "s1", Path(sys.argv[1]))
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], check=True, cwd=Path(__file__).parents[2]
    )
