"""What all figures of a report share: one look a name, one size, plain axes, and a legend above.

A name keeps its colour, marker and dashes in all figures of all reports. The colours are those of
Okabe and Ito (2008), which colour-blind readers can tell apart; markers and dashes say the same
again, where lines lie upon each other too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

from harness.config.choices import GHOST, GROUP, LAYER, WITHOUT
from harness.report.figures.ranges import labelled_values

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from matplotlib.ticker import Formatter

COLOURS = ("#000000", "#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9", "#CC79A7")
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "p", "h")
STRANGE_MARKERS = ("<", ">", "*", "d", "8", "H")  # of names that the package does not know
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


# The package's own names, in an order that is only ever appended to; none is the network without
# normalization.
NAMES = (
    "torch_native",
    "fused_cpu",
    "torch_compile",
    "torch_unfused",
    "numpy",
    "onednn",
    "jax",
    "numba",
    "fused_triton",
    "auto",
    GROUP,
    LAYER,
    GHOST,
)
KNOWN = {
    name: Style(
        COLOURS[position % len(COLOURS)],
        MARKERS[position % len(MARKERS)],
        DASHES[position % len(DASHES)],
    )
    for position, name in enumerate(NAMES)
} | {WITHOUT: Style(GREY, "o", "-")}
# What other names choose from.
STRANGERS = [
    Style(colour, marker, DASHES[number % len(DASHES)])
    for marker in STRANGE_MARKERS
    for number, colour in enumerate(COLOURS)
]


def styles(names: Sequence[str]) -> dict[str, Style]:
    """A style for each name. A name has the same one in all reports, whatever stands beside it,
    unless two strangers in one report would look alike; then the later name takes another.
    """
    found = {name: KNOWN[name] for name in names if name in KNOWN}
    taken = set(KNOWN.values())
    for name in sorted(set(names) - set(KNOWN)):
        found[name] = _free_style(name, taken)
        taken.add(found[name])
    return {name: found[name] for name in names}


def _free_style(name: str, taken: AbstractSet[Style]) -> Style:
    """By a digest of the name, or the next that is not taken; where all are, it repeats."""
    first = int.from_bytes(sha256(name.encode()).digest()[:4])
    places = [(first + offset) % len(STRANGERS) for offset in range(len(STRANGERS))]
    free = (STRANGERS[place] for place in places if STRANGERS[place] not in taken)
    return next(free, STRANGERS[places[0]])


def figure(height: float) -> Figure:
    """As wide as all are, and ``height`` inches high."""
    from matplotlib.figure import Figure

    return Figure(figsize=(WIDTH, height), layout="constrained")


def literal(text: str) -> str:
    """A text that is drawn as it is: between two dollar signs Matplotlib reads mathematics."""
    return text.replace("$", r"\$")


def ticks(axis: Axis, formatter: Formatter) -> None:
    """One set of few round labels on a log axis, be its range a tenth or a thousandfold."""
    from matplotlib.ticker import FixedLocator, NullLocator

    axis.set_major_locator(FixedLocator(labelled_values(*axis.get_view_interval())))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(formatter)


def plain(axes: Axes) -> None:
    """Small labels, no frame above and on the right."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=LABEL)
    axes.set_axisbelow(True)


def legend(figure: Figure, looks: Mapping[str, Style], *, dashes: bool) -> None:
    """The names above all panels, each with its colour and its marker, and with its dashes where
    those are drawn.
    """
    from matplotlib.lines import Line2D

    handles = [
        Line2D(
            [],
            [],
            color=style.colour,
            label=literal(name),
            markersize=5,
            marker=style.marker,
            linestyle=style.dashes if dashes else "-",
            linewidth=2 if dashes else 1.4,
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
