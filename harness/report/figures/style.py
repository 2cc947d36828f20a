"""What all figures of a report share: one look a name, one size, plain axes, and a legend above.

A name keeps its colour, marker and dashes in all figures of a report. The colours are those of
Okabe and Ito (2008), which colour-blind readers can tell apart; markers and dashes say the same
again, where lines lie upon each other too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from harness.config.choices import WITHOUT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from matplotlib.ticker import Formatter

COLOURS = ("#000000", "#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9", "#CC79A7")
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "p", "h")
# Solid, or an offset and the lengths of dashes and gaps, in points.
Dashes = Literal["-"] | tuple[int, tuple[float, ...]]
DASHES: tuple[Dashes, ...] = ("-", (0, (5, 2)), (0, (1, 1.2)), (0, (5, 1.5, 1, 1.5)), (0, (8, 2)))
GREY, GRID = "#808080", "#DDDDDD"
WIDTH, DPI = 10.0, 150  # inches, dots an inch: sharp at 1000 px
TITLE, LABEL = 11, 9  # points
LEGEND_WIDTH = 120  # characters


@dataclass(frozen=True)
class Style:
    """How one implementation looks everywhere."""

    colour: str
    marker: str
    dashes: Dashes


def styles(names: Sequence[str]) -> dict[str, Style]:
    """A style for each name, by its position; the network without normalization is grey."""
    return {
        name: Style(
            GREY if name == WITHOUT else COLOURS[position % len(COLOURS)],
            MARKERS[position % len(MARKERS)],
            DASHES[position % len(DASHES)],
        )
        for position, name in enumerate(names)
    }


def figure(height: float) -> Figure:
    """As wide as all are, and ``height`` inches high."""
    from matplotlib.figure import Figure

    return Figure(figsize=(WIDTH, height), layout="constrained")


def literal(text: str) -> str:
    """A text that is drawn as it is: between two dollar signs Matplotlib reads mathematics."""
    return text.replace("$", r"\$")


def ticks(axis: Axis, formatter: Formatter) -> None:
    """Few round ticks on a log axis, be its range a tenth or a thousandfold."""
    from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

    low, high = axis.get_view_interval()
    if high / low < 6:
        axis.set_major_locator(MaxNLocator(6, steps=(1, 2, 5, 10)))
    else:
        axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low < 150 else (1,)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(formatter)


def plain(axes: Axes) -> None:
    """Small labels, no frame above and on the right."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=LABEL)
    axes.set_axisbelow(True)


def legend(figure: Figure, looks: Mapping[str, Style], *, markers: bool) -> None:
    """The names above all panels, each with its colour and its marker, or its dashes."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D(
            [],
            [],
            color=style.colour,
            label=literal(name),
            markersize=5,
            marker=style.marker if markers else "",
            linestyle="-" if markers else style.dashes,
            linewidth=1.4 if markers else 2,
        )
        for name, style in looks.items()
    ]
    fitting = LEGEND_WIDTH // (max(map(len, looks)) + 8)
    figure.legend(
        handles=handles,
        loc="outside upper left",
        ncols=max(1, fitting),
        frameon=False,
        fontsize=LABEL,
    )
