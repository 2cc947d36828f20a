"""Curves of training, a panel a quantity that was recorded at each step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.report.figures.style import (
    DPI,
    GREY,
    GRID,
    LABEL,
    TITLE,
    Style,
    figure,
    legend,
    plain,
    ticks,
)
from harness.report.views import Race

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = 2
PANEL, MARGINS = 3.6, 0.8  # inches
POINTS = 200  # of a curve; of more, neighbours are taken together
PALE, FAINT = 0.3, 0.08  # opacity of a seed's curve


class Panel(NamedTuple):
    """What a panel shows of each sample, its title, and how its axis is scaled."""

    quantity: str
    title: str
    scale: str


PANELS = (
    Panel("loss", "training loss of the batch", "log"),
    Panel("accuracy", "validation accuracy", "linear"),
    Panel("gradient_norm", "norm of the gradient", "log"),
    Panel("weight_norm", "norm of the weights", "log"),
    Panel("running_lag", "lag of the running statistics", "linear"),
)


def draw_curves(race: Race, look: Mapping[str, Style], path: Path) -> None:
    """Training loss, validation accuracy, and what else was recorded, by step: every seed thin, the
    median thick.
    """
    curves = {
        panel: found for panel in PANELS if any((found := _curves(race, panel.quantity)).values())
    }
    rows = -(-len(curves) // COLUMNS)
    drawn = figure(MARGINS + PANEL * rows)
    places = drawn.subplots(rows, COLUMNS, sharex=True, squeeze=False).flat
    for axes, (panel, arms) in zip(places, curves.items(), strict=False):
        for name, own in arms.items():
            _draw(axes, own, look[name])
        _finish(axes, panel, race.about["target"])
    for axes in places[len(curves) :]:
        axes.remove()
    legend(drawn, {name: look[name] for name in race.arms}, markers=False)
    drawn.savefig(path, dpi=DPI)


def _finish(axes: Axes, panel: Panel, target: float) -> None:
    from matplotlib.ticker import PercentFormatter, StrMethodFormatter

    axes.set_title(panel.title, fontsize=TITLE, loc="left")
    axes.set_xlabel("step", fontsize=LABEL)
    plain(axes)
    axes.tick_params(labelbottom=True)
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_yscale(panel.scale)
    if panel.scale == "log":
        ticks(axes.yaxis, StrMethodFormatter("{x:g}"))
    if panel.quantity == "accuracy":
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        axes.axhline(target, color=GREY, linewidth=1, linestyle=":")


def _curves(race: Race, quantity: str) -> dict[str, list[dict[int, float]]]:
    """Of each arm, the curve of each seed that has any value of this."""
    found = {
        name: [
            _curve(record.samples, quantity)
            for record in runs.values()
            if record.figures is not None
        ]
        for name, runs in race.arms.items()
    }
    return {name: [curve for curve in own if curve] for name, own in found.items()}


def _draw(axes: Axes, curves: Sequence[Mapping[int, float]], style: Style) -> None:
    steps, middle = middle_of(curves)
    opacity = PALE if len(steps) < POINTS else FAINT
    for curve in curves:
        axes.plot(
            list(curve),
            list(curve.values()),
            color=style.colour,
            linewidth=0.7,
            alpha=opacity,
            zorder=1,
            marker=_marker(style, len(curve)),
            markersize=4,
        )
    axes.plot(
        steps,
        middle,
        color=style.colour,
        linewidth=2,
        linestyle=style.dashes,
        zorder=2,
        marker=_marker(style, len(steps)),
        markersize=8,
    )


def _marker(style: Style, points: int) -> str:
    """A single point has no line that would show it."""
    return style.marker if points == 1 else ""


def middle_of(curves: Sequence[Mapping[int, float]]) -> tuple[list[int], list[float]]:
    """The steps that all curves have, and the median there; where they are many, over neighbouring
    steps too.

    The loss of a batch is noisy, and would hide one arm behind another.
    """
    shared = (
        [step for step in curves[0] if all(step in curve for curve in curves)] if curves else []
    )
    reach = len(shared) // POINTS
    values = [[curve[step] for curve in curves] for step in shared]
    near = (chain(*values[max(at - reach, 0) : at + reach + 1]) for at in range(len(values)))
    return shared, [median(many) for many in near]


def _curve(samples: Sequence[Mapping[str, Any]], quantity: str) -> dict[int, float]:
    """By step. Old records lack some quantities, and some are not recorded at each step."""
    return {
        sample["step"]: sample[quantity] for sample in samples if sample.get(quantity) is not None
    }
