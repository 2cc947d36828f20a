"""Figures of speed: times with ratios, and times over the floor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

from harness.analysis.ratios import ratio_to_baseline, ratio_to_floor
from harness.analysis.sections import CellArms, Section
from harness.records import Interval, ThroughputRecord
from harness.report.figures import marks
from harness.report.figures.ranges import Range, readable_range
from harness.report.figures.style import (
    COLOURS,
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
from harness.report.labels import call_in_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.ticker import Formatter

CELLS_PER_FIGURE = 15
REMARK = 7  # points
LABEL_WIDTH, CALL_WIDTH = 24, 60  # characters
NOISE = "A/A"
# of an axis's length: the least that the margin takes, however far arms lie apart
MARGIN_SHARE = 0.01
FLOOR_SPAN = 1000  # the most by which one end of the axis of floors is the other's multiple
AGAINST_ITSELF = Style(GREY, "|", "-")


def pages(section: Section) -> Iterator[tuple[CellArms, ...]]:
    """A section's cells in groups of nearly equal size that one figure can hold."""
    count = -(-len(section.cells) // CELLS_PER_FIGURE)
    size = -(-len(section.cells) // count)
    for start in range(0, len(section.cells), size):
        yield section.cells[start : start + size]


def draw_speed(
    section: Section, cells: Sequence[CellArms], look: Mapping[str, Style], path: Path
) -> None:
    """Median times on the left, ratios to the baseline with their intervals on the right, a band of
    rows a cell.
    """
    arms = section.implementations
    drawn = figure(1.3 + len(cells) * max(0.4, 0.11 * (len(arms) + 1)))
    times, ratios = drawn.subplots(1, 2, sharey=True)
    _limit(ratios, _ratio_range(section))
    for row, cell in enumerate(cells):
        _draw_cell((times, ratios), row, cell, arms, look)
    _finish_times(times, section)
    _finish_ratios(ratios, section)
    _label((times, ratios), cells)
    legend(drawn, {**{name: look[name] for name in arms}, NOISE: AGAINST_ITSELF}, dashes=False)
    drawn.savefig(path, dpi=DPI)


def draw_floors(
    section: Section, cells: Sequence[CellArms], look: Mapping[str, Style], path: Path
) -> None:
    """Times over the floor, the least memory traffic possible, with their intervals; at 1 is the
    hardware's limit.
    """
    from matplotlib.ticker import StrMethodFormatter

    arms, confidence = section.implementations, 100 * (1 - section.alpha)
    drawn = figure(1.3 + len(cells) * max(0.4, 0.11 * len(arms)))
    axes = drawn.subplots()
    _limit(axes, _range(section, ratio_to_floor, (1.0,), FLOOR_SPAN))
    for row, cell in enumerate(cells):
        drawn_arms = _draw_cell_floors(axes, row, cell, arms, look)
        _remark(axes, row, _failed(cell, arms) if drawn_arms else ["no floor"])
    axes.axvline(1, color=GREY, linewidth=3, zorder=2)
    axes.set_title(
        f"time over the hardware's limit (at 1), {confidence:g} % interval",
        fontsize=TITLE,
        loc="left",
    )
    _finish_rows(axes, StrMethodFormatter("{x:g}"))
    axes.set_xlabel(_call(section), fontsize=LABEL)
    _label((axes,), cells)
    legend(drawn, {name: look[name] for name in arms}, dashes=False)
    drawn.savefig(path, dpi=DPI)


def _ratio_range(section: Section) -> Range:
    """The same in all figures of a section, so that they can be held side by side."""
    band = 1 / (1 + section.margin), 1 + section.margin
    return _range(section, ratio_to_baseline, band, (band[1] / band[0]) ** (1 / MARGIN_SHARE))


def _range(
    section: Section,
    ratio_of: Callable[[ThroughputRecord], Interval | None],
    always: Sequence[float],
    most: float,
) -> Range:
    estimates, bounds = {}, []
    for name in section.implementations:
        ratios = list(filter(None, map(ratio_of, section.records_of(name))))
        estimates[name] = [ratio.estimate for ratio in ratios]
        bounds += [bound for ratio in ratios for bound in (ratio.low, ratio.high)]
    return readable_range(estimates, bounds, always, most)


def _limit(axes: Axes, shown: Range) -> None:
    axes.set_xscale("log")
    axes.set_xlim(shown.low, shown.high)


def _draw_cell_floors(
    axes: Axes, row: int, cell: CellArms, arms: Sequence[str], look: Mapping[str, Style]
) -> int:
    """How many arms have a floor, and were drawn."""
    drawn = 0
    for name, record in cell.arms.items():
        if ratio := ratio_to_floor(record):
            y = _lane(row, arms.index(name), len(arms))
            marks.interval(axes, ratio, y, look[name], hollow=bool(record.flags))
            drawn += 1
    return drawn


def _draw_cell(
    panels: tuple[Axes, Axes],
    row: int,
    cell: CellArms,
    arms: Sequence[str],
    look: Mapping[str, Style],
) -> None:
    """A lane an arm, and the last one for A/A."""
    times, ratios = panels
    lanes = len(arms) + 1
    for lane, name in enumerate(arms):
        record, y = cell.arms.get(name), _lane(row, lane, lanes)
        if record is None or record.figures is None:
            continue
        hollow = bool(record.flags)
        marks.dot(times, record.figures.median_seconds, y, look[name], hollow=hollow)
        if ratio := ratio_to_baseline(record):
            marks.interval(ratios, ratio, y, look[name], hollow=hollow)
    if cell.canary:
        marks.interval(
            ratios, cell.canary, _lane(row, len(arms), lanes), AGAINST_ITSELF, hollow=False
        )
    _remark(ratios, row, _failed(cell, arms))


def _failed(cell: CellArms, arms: Sequence[str]) -> list[str]:
    found = {name: cell.arms.get(name) for name in arms}
    return [
        f"{name}: {record.status if record else 'not measured'}"
        for name, record in found.items()
        if record is None or record.figures is None
    ]


def _remark(axes: Axes, row: int, lines: Sequence[str]) -> None:
    axes.text(
        1.02,
        row,
        literal("\n".join(lines)),
        transform=axes.get_yaxis_transform(),
        va="center",
        fontsize=REMARK,
    )


def _lane(row: int, lane: int, lanes: int) -> float:
    return row + 0.76 * ((lane + 0.5) / lanes - 0.5)


def _call(section: Section) -> str:
    return fill(f"a call: {call_in_words(section.definition)}", CALL_WIDTH)


def _finish_times(axes: Axes, section: Section) -> None:
    from matplotlib.ticker import EngFormatter

    axes.set_title("median time a call", fontsize=TITLE, loc="left")
    axes.set_xscale("log")
    axes.set_xlabel(_call(section), fontsize=LABEL)
    _finish_rows(axes, EngFormatter("s"))


def _finish_ratios(axes: Axes, section: Section) -> None:
    from matplotlib.ticker import StrMethodFormatter

    margin, confidence = section.margin, 100 * (1 - section.alpha)
    axes.axvspan(1 / (1 + margin), 1 + margin, color=COLOURS[1], alpha=0.12, linewidth=0, zorder=1)
    axes.axvline(1, color=GREY, linewidth=1, zorder=2)
    axes.set_title(
        f"time relative to {literal(section.baseline)}, {confidence:g} % interval",
        fontsize=TITLE,
        loc="left",
    )
    axes.set_xlabel("\N{LEFTWARDS ARROW} faster      slower \N{RIGHTWARDS ARROW}", fontsize=LABEL)
    _finish_rows(axes, StrMethodFormatter("{x:g}"))


def _finish_rows(axes: Axes, formatter: Formatter) -> None:
    ticks(axes.xaxis, formatter)
    axes.grid(axis="x", color=GRID, linewidth=0.8)
    plain(axes)
    axes.tick_params(axis="y", length=0)


def _label(panels: Sequence[Axes], cells: Sequence[CellArms]) -> None:
    """A band a cell through all panels, its label beside the first."""
    for row in range(len(cells)):
        for axes in panels:
            axes.axhspan(row - 0.5, row + 0.5, color="#F3F3F3" if row % 2 else "white", zorder=0)
    panels[0].set_yticks(
        range(len(cells)), [_wrapped(cell.label) for cell in cells], fontsize=LABEL
    )
    panels[0].set_ylim(len(cells) - 0.5, -0.5)


def _wrapped(label: str) -> str:
    return fill(label.replace("no ", "no\N{NO-BREAK SPACE}"), LABEL_WIDTH)
