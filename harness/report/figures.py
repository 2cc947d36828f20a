"""Figures of a report: times with ratios, times over the floor, and curves of training. The only module that draws.

A name keeps its colour, marker and dashes in all figures of a report. The colours are those of Okabe and Ito (2008),
which colour-blind readers can tell apart; markers and dashes say the same again, where lines lie upon each other too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from textwrap import fill
from typing import TYPE_CHECKING, Any

from harness.report.views import WITHOUT, Cell, Race, Section, floor_of, ratio_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from matplotlib.ticker import Formatter

COLOURS = ("#000000", "#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9", "#CC79A7")
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "p", "h")
DASHES = ("-", (0, (5, 2)), (0, (1, 1.2)), (0, (5, 1.5, 1, 1.5)), (0, (8, 2)))
GREY, GRID = "#808080", "#DDDDDD"
CELLS_PER_FIGURE = 15
WIDTH, DPI = 10.0, 150  # inches, dots an inch: sharp at 1000 px
TITLE, LABEL, REMARK = 11, 9, 7  # points
LABEL_WIDTH, LEGEND_WIDTH = 24, 120  # characters
NOISE = "A/A"
FAR = 1000  # of an estimate: as far as an interval is drawn, since a few launches can leave it endless


@dataclass(frozen=True)
class Style:
    """How one implementation looks everywhere."""

    colour: str
    marker: str
    dashes: Any


AGAINST_ITSELF = Style(GREY, "|", "-")


def styles(names: Sequence[str]) -> dict[str, Style]:
    """A style for each name, by its position; the network without normalization is grey."""
    return {
        name: Style(GREY if name == WITHOUT else COLOURS[position % len(COLOURS)],
                    MARKERS[position % len(MARKERS)], DASHES[position % len(DASHES)])
        for position, name in enumerate(names)
    }


def pages(section: Section) -> Iterator[tuple[Cell, ...]]:
    """A section's cells in groups of nearly equal size that one figure can hold."""
    count = -(-len(section.cells) // CELLS_PER_FIGURE)
    size = -(-len(section.cells) // count)
    for start in range(0, len(section.cells), size):
        yield section.cells[start:start + size]


def draw_speed(section: Section, cells: Sequence[Cell], look: Mapping[str, Style], path: Path) -> None:
    """Median times on the left, ratios to the baseline with their intervals on the right, a band of rows a cell."""
    arms = section.implementations
    figure = _figure(1.3 + len(cells) * max(0.4, 0.11 * (len(arms) + 1)))
    times, ratios = figure.subplots(1, 2, sharey=True)
    for row, cell in enumerate(cells):
        _draw_cell((times, ratios), row, cell, arms, look)
    _finish_times(times)
    _finish_ratios(ratios, section)
    _label((times, ratios), cells)
    _legend(figure, {**{name: look[name] for name in arms}, NOISE: AGAINST_ITSELF}, markers=True)
    figure.savefig(path, dpi=DPI)


def draw_floors(section: Section, cells: Sequence[Cell], look: Mapping[str, Style], path: Path) -> None:
    """Times over the floor, the least memory traffic possible, with their intervals; at 1 is the hardware's limit."""
    from matplotlib.ticker import StrMethodFormatter

    arms, confidence = section.implementations, 100 * (1 - section.about["alpha"])
    figure = _figure(1.3 + len(cells) * max(0.4, 0.11 * len(arms)))
    axes = figure.subplots()
    for row, cell in enumerate(cells):
        found = {name: floor for name, record in cell.arms.items() if (floor := floor_of(record))}
        for name, floor in found.items():
            _interval(axes, floor, _lane(row, arms.index(name), len(arms)), look[name], hollow=bool(cell.arms[name].flags))
        _remark(axes, row, _failed(cell, arms) if found else ["no floor"])
    axes.axvline(1, color=GREY, linewidth=3, zorder=2)
    axes.set_title(f"time over the hardware's limit (at 1), {confidence:g} % interval", fontsize=TITLE, loc="left")
    _finish_rows(axes, StrMethodFormatter("{x:g}"))
    _label((axes,), cells)
    _legend(figure, {name: look[name] for name in arms}, markers=True)
    figure.savefig(path, dpi=DPI)


def draw_curves(race: Race, look: Mapping[str, Style], path: Path) -> None:
    """Training loss and validation accuracy by step: every seed thin, the median of all seeds thick."""
    from matplotlib.ticker import PercentFormatter, StrMethodFormatter

    figure = _figure(4.4)
    loss, accuracy = figure.subplots(1, 2, sharex=True)
    for axes, quantity in ((loss, "loss"), (accuracy, "accuracy")):
        for name, runs in race.arms.items():
            curves = [_curve(record.samples, quantity) for record in runs.values() if record.figures is not None]
            _draw_curves(axes, [curve for curve in curves if curve], look[name])
        axes.set_xlabel("step", fontsize=LABEL)
        _plain(axes)
        axes.grid(color=GRID, linewidth=0.8)
    loss.set_title("training loss of the batch", fontsize=TITLE, loc="left")
    loss.set_yscale("log")
    _ticks(loss.yaxis, StrMethodFormatter("{x:g}"))
    accuracy.set_title("validation accuracy", fontsize=TITLE, loc="left")
    accuracy.yaxis.set_major_formatter(PercentFormatter(1))
    accuracy.axhline(race.about["target"], color=GREY, linewidth=1, linestyle=":")
    _legend(figure, {name: look[name] for name in race.arms}, markers=False)
    figure.savefig(path, dpi=DPI)


def _draw_cell(
    panels: tuple[Axes, Axes], row: int, cell: Cell, arms: Sequence[str], look: Mapping[str, Style],
) -> None:
    times, ratios = panels
    lanes = [*arms, None]
    for lane, name in enumerate(lanes):
        y = _lane(row, lane, len(lanes))
        record = cell.arms.get(name) if name else None
        if name is None:
            if cell.canary:
                _interval(ratios, cell.canary, y, AGAINST_ITSELF, hollow=False)
        elif record and record.figures:
            _dot(times, record.figures["median_seconds"], y, look[name], hollow=bool(record.flags))
            ratio = ratio_of(record)
            if ratio:
                _interval(ratios, ratio, y, look[name], hollow=bool(record.flags))
    _remark(ratios, row, _failed(cell, arms))


def _failed(cell: Cell, arms: Sequence[str]) -> list[str]:
    found = {name: cell.arms.get(name) for name in arms}
    return [f"{name}: {record.status if record else 'not measured'}"
            for name, record in found.items() if record is None or record.figures is None]


def _remark(axes: Axes, row: int, lines: Sequence[str]) -> None:
    axes.text(1.02, row, "\n".join(lines), transform=axes.get_yaxis_transform(), va="center", fontsize=REMARK)


def _lane(row: int, lane: int, lanes: int) -> float:
    return row + 0.76 * ((lane + 0.5) / lanes - 0.5)


def _interval(axes: Axes, ratio: Any, y: float, style: Style, *, hollow: bool) -> None:
    ends = max(ratio.low, ratio.estimate / FAR), min(ratio.high, ratio.estimate * FAR)
    axes.plot(ends, [y, y], color=style.colour, linewidth=1.4, solid_capstyle="butt", zorder=3)
    _dot(axes, ratio.estimate, y, style, hollow=hollow)


def _dot(axes: Axes, x: float, y: float, style: Style, *, hollow: bool) -> None:
    axes.plot(x, y, style.marker, color=style.colour, markerfacecolor="white" if hollow else style.colour,
              markersize=5, zorder=4)


def _finish_times(axes: Axes) -> None:
    from matplotlib.ticker import EngFormatter

    axes.set_title("median time a call", fontsize=TITLE, loc="left")
    _finish_rows(axes, EngFormatter("s"))


def _finish_ratios(axes: Axes, section: Section) -> None:
    from matplotlib.ticker import StrMethodFormatter

    margin, confidence = section.about["margin"], 100 * (1 - section.about["alpha"])
    axes.axvspan(1 / (1 + margin), 1 + margin, color=COLOURS[1], alpha=0.12, linewidth=0, zorder=1)
    axes.axvline(1, color=GREY, linewidth=1, zorder=2)
    axes.set_title(f"time relative to {section.baseline}, {confidence:g} % interval", fontsize=TITLE, loc="left")
    _finish_rows(axes, StrMethodFormatter("{x:g}"))


def _finish_rows(axes: Axes, formatter: Formatter) -> None:
    axes.set_xscale("log")
    _ticks(axes.xaxis, formatter)
    axes.grid(axis="x", color=GRID, linewidth=0.8)
    _plain(axes)
    axes.tick_params(axis="y", length=0)


def _label(panels: Sequence[Axes], cells: Sequence[Cell]) -> None:
    """A band a cell through all panels, its label beside the first."""
    for row in range(len(cells)):
        for axes in panels:
            axes.axhspan(row - 0.5, row + 0.5, color="#F3F3F3" if row % 2 else "white", zorder=0)
    panels[0].set_yticks(range(len(cells)), [_wrapped(cell.label) for cell in cells], fontsize=LABEL)
    panels[0].set_ylim(len(cells) - 0.5, -0.5)


def _ticks(axis: Axis, formatter: Formatter) -> None:
    """Few round ticks on a log axis, be its range a tenth or a thousandfold."""
    from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

    low, high = axis.get_view_interval()
    if high / low < 6:
        axis.set_major_locator(MaxNLocator(6, steps=(1, 2, 5, 10)))
    else:
        axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low < 150 else (1,)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(formatter)


def _draw_curves(axes: Axes, curves: Sequence[Mapping[int, float]], style: Style) -> None:
    for curve in curves:
        axes.plot(list(curve), list(curve.values()), color=style.colour, linewidth=0.7, alpha=0.3)
    shared = [step for step in curves[0] if all(step in curve for curve in curves)] if curves else []
    middle = [median(curve[step] for curve in curves) for step in shared]
    axes.plot(shared, middle, color=style.colour, linewidth=2, linestyle=style.dashes)


def _curve(samples: Sequence[Mapping[str, Any]], quantity: str) -> dict[int, float]:
    return {sample["step"]: sample[quantity] for sample in samples if sample[quantity] is not None}


def _figure(height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(WIDTH, height), layout="constrained")


def _wrapped(label: str) -> str:
    return fill(label.replace("no ", "no\N{NO-BREAK SPACE}"), LABEL_WIDTH)


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=LABEL)
    axes.set_axisbelow(True)


def _legend(figure: Figure, looks: Mapping[str, Style], *, markers: bool) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=style.colour, label=name, markersize=5, marker=style.marker if markers else "",
               linestyle="-" if markers else style.dashes, linewidth=1.4 if markers else 2)
        for name, style in looks.items()
    ]
    fitting = LEGEND_WIDTH // (max(map(len, looks)) + 8)
    figure.legend(handles=handles, loc="outside upper left", ncols=max(1, fitting), frameon=False, fontsize=LABEL)
