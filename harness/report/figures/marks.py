"""What stands for a measurement in a figure: a dot, or a dot with its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import formatting
from harness.records import Interval
from harness.report.figures.ranges import Range
from harness.report.figures.style import Style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

VALUE = 7  # points of a value that stands for a mark beyond the axis
ABOVE = 5  # of the bands, which would hide an arrow at the axis's end


def dot(axes: Axes, x: float, y: float, style: Style, *, hollow: bool) -> None:
    axes.plot(
        x,
        y,
        style.marker,
        color=style.colour,
        markerfacecolor="white" if hollow else style.colour,
        markersize=5,
        zorder=4,
    )


def interval(axes: Axes, ratio: Interval, y: float, style: Style, *, hollow: bool) -> None:
    """The estimate with its interval, as far as the axis reaches: an interval that goes on ends in
    an arrowhead, and an estimate beyond the axis is a number at its end.
    """
    shown = Range(*axes.get_xlim())
    ends = shown.nearest(ratio.low), shown.nearest(ratio.high)
    axes.plot(ends, [y, y], color=style.colour, linewidth=1.4, solid_capstyle="butt", zorder=3)
    if ratio.low < shown.low:
        _arrow(axes, shown.low, y, "<", style)
    if ratio.high > shown.high:
        _arrow(axes, shown.high, y, ">", style)
    if shown.holds(ratio.estimate):
        dot(axes, ratio.estimate, y, style, hollow=hollow)
    else:
        _value(axes, ratio.estimate, y, shown, style)


def _arrow(axes: Axes, x: float, y: float, marker: str, style: Style) -> None:
    axes.plot(x, y, marker, color=style.colour, markersize=5, clip_on=False, zorder=ABOVE)


def _value(axes: Axes, value: float, y: float, shown: Range, style: Style) -> None:
    is_right = value > shown.high
    axes.annotate(
        formatting.ratio(value),
        (shown.nearest(value), y),
        xytext=(-6 if is_right else 6, 0),
        textcoords="offset points",
        ha="right" if is_right else "left",
        va="center",
        fontsize=VALUE,
        color=style.colour,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
        zorder=ABOVE,
    )
