"""A figure of speed against accuracy, a panel a cell, with the arms that none beats in both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, floor, log10
from pathlib import Path
from typing import TYPE_CHECKING

from harness.analysis.accuracy import front, points
from harness.analysis.pareto import Point
from harness.analysis.sections import CellArms, Section
from harness.report.figures import marks
from harness.report.figures.style import (
    DPI,
    GREY,
    GRID,
    LABEL,
    TITLE,
    Style,
    figure,
    legend,
    literal,
    plain,
    ticks,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = 3
PANEL, MARGINS = 2.4, 1.0  # inches
MOST_DECADES = 6  # that an axis labels
RING = 11  # points of a ring's diameter
BELOW = 1 / 3  # of the least error there is: where an arm without any error stands
NO_ERROR = 1e-17  # where all arms are without


def draw_accuracy(
    section: Section, cells: Sequence[CellArms], look: Mapping[str, Style], path: Path
) -> None:
    """Errors to the right and times relative to the baseline upwards, so that the best is below on
    the left. The arms that none beats in both have a ring, and a line joins them.
    """
    columns = min(COLUMNS, len(cells))
    rows = -(-len(cells) // columns)
    drawn = figure(MARGINS + PANEL * rows)
    panels = drawn.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).flat
    least = _least_error(cells)
    for axes, cell in zip(panels, cells, strict=False):
        _draw(axes, cell, look, least)
    for axes in panels[len(cells) :]:
        axes.remove()
    panels[0].set_xlim(*_decades(panels[0].get_xlim()))
    for axes in panels[: len(cells)]:  # when all is drawn, since they share their ranges
        _finish(axes)
    error = "largest root mean square error of a quantity, relative"
    drawn.supxlabel(f"\N{LEFTWARDS ARROW} more accurate      {error}", fontsize=LABEL)
    time = f"time relative to {literal(section.baseline)}"
    drawn.supylabel(f"\N{LEFTWARDS ARROW} faster      {time}", fontsize=LABEL)
    legend(drawn, {name: look[name] for name in section.implementations}, dashes=False)
    drawn.savefig(path, dpi=DPI)


def _draw(axes: Axes, cell: CellArms, look: Mapping[str, Style], least: float) -> None:
    shown = {
        name: Point(max(point.error, least), point.time) for name, point in points(cell).items()
    }
    best = [shown[name] for name in front(cell)]
    axes.step(
        [point.error for point in best],
        [point.time for point in best],
        where="post",
        color=GREY,
        linewidth=1.4,
        marker="o",
        markersize=RING,
        markerfacecolor="none",
        zorder=2,
    )
    for name, point in shown.items():
        marks.dot(axes, *point, look[name], hollow=bool(cell.arms[name].flags))
    axes.set_title(literal(cell.label), fontsize=TITLE - 2, loc="left")
    axes.set_xscale("log")
    axes.set_yscale("log")


def _finish(axes: Axes) -> None:
    from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

    axes.xaxis.set_major_locator(LogLocator(numticks=MOST_DECADES))
    axes.xaxis.set_minor_locator(NullLocator())
    ticks(axes.yaxis, StrMethodFormatter("{x:g}"))
    axes.grid(color=GRID, linewidth=0.8)
    plain(axes)
    axes.tick_params(labelbottom=True)


def _decades(shown: tuple[float, float]) -> tuple[float, float]:
    """The whole decades that hold what an axis shows."""
    return 10.0 ** floor(log10(shown[0])), 10.0 ** ceil(log10(shown[1]))


def _least_error(cells: Sequence[CellArms]) -> float:
    """Where errors of 0 stand on a logarithmic axis."""
    errors = [point.error for cell in cells for point in points(cell).values() if point.error]
    return BELOW * min(errors) if errors else NO_ERROR
