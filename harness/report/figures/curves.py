"""Curves of training, a panel a quantity that was recorded at each step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from harness.analysis.training_curves import POINTS, Curve, Quantity, curves_by_arm, middle_of
from harness.analysis.training_groups import TrainingGroup
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

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = 2
PANEL, MARGINS = 3.6, 0.8  # inches
MARKS = 5  # of a curve, about
PALE, FAINT = 0.3, 0.08  # opacity of a seed's curve


class Panel(NamedTuple):
    """What a panel shows of each step, its title, and how its axis is scaled."""

    quantity: Quantity
    title: str
    scale: str


ACCURACY = Panel(lambda step: step.accuracy, "validation accuracy", "linear")
PANELS = (
    Panel(lambda step: step.loss, "training loss of the batch", "log"),
    ACCURACY,
    Panel(lambda step: step.gradient_norm, "norm of the gradient", "log"),
    Panel(lambda step: step.weight_norm, "norm of the weights", "log"),
    Panel(lambda step: step.running_lag, "lag of the running statistics", "linear"),
)


def draw_curves(group: TrainingGroup, look: Mapping[str, Style], path: Path) -> None:
    """Training loss, validation accuracy, and what else was recorded, by step: every seed thin, the
    median thick.
    """
    curves = {panel: curves_by_arm(group, panel.quantity) for panel in PANELS}
    curves = {panel: arms for panel, arms in curves.items() if any(arms.values())}
    rows = -(-len(curves) // COLUMNS)
    drawn = figure(MARGINS + PANEL * rows)
    places = drawn.subplots(rows, COLUMNS, sharex=True, squeeze=False).flat
    for axes, (panel, arms) in zip(places, curves.items(), strict=False):
        for number, (name, own) in enumerate(arms.items()):
            _draw(axes, own, look[name], (number, len(arms)))
        _finish(axes, panel, group.definition.target)
    for axes in places[len(curves) :]:
        axes.remove()
    legend(drawn, {name: look[name] for name in group.arms}, dashes=True)
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
    if panel is ACCURACY:
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        axes.axhline(target, color=GREY, linewidth=1, linestyle=":")


def _draw(axes: Axes, curves: Sequence[Curve], style: Style, place: tuple[int, int]) -> None:
    """``place`` is the arm's number, of how many: curves that lie upon each other have their
    markers at different steps, so that all are seen.
    """
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
        marker=style.marker,
        markevery=marked(len(steps), *place),
        markersize=7,
        markeredgecolor="white",
        markeredgewidth=0.6,
    )


def marked(points: int, number: int, arms: int) -> tuple[int, int]:
    """At which points of a curve its markers stand: the first, and the distance to the next. Where
    there are fewer points than arms, some share them.
    """
    distance = max(arms, points // MARKS)
    first = round((number + 0.5) * distance / arms - 0.5)
    return first % max(points, 1), distance


def _marker(style: Style, points: int) -> str:
    """Of a seed's curve: a single point has no line that would show it."""
    return style.marker if points == 1 else ""
