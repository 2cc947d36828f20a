"""What a gate finds, and how often it alarms for nothing, against its budget: to choose one by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.gate.error_rates import GateRates
from harness.report.figures import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HEIGHT = 4.0
FALSE = "any false alarm"
NAMES = ("torch_native", "fused_cpu", "torch_compile", "torch_unfused", "numpy")
PROMISE = 0.01


def power_figure(rates: Sequence[GateRates], unit: str) -> Figure:
    """A line an effect, with 95 % intervals, over the budget in ``unit``; on the left the share of
    gates that found it, on the right those of equal versions that alarmed, and those undecided.
    """
    figure = style.figure(HEIGHT)
    found, wrong = figure.subplots(1, 2, sharex=True)
    _powers(found, rates)
    _false_alarms(wrong, [one for one in rates if not one.effect])
    for axes in (found, wrong):
        style.plain(axes)
        axes.set_xlabel(f"budget: {unit}", fontsize=style.LABEL)
        axes.set_ylim(-2, 102)
        axes.grid(color=style.GRID)
    return figure


def _powers(axes: Axes, rates: Sequence[GateRates]) -> None:
    effects = sorted({one.effect for one in rates if one.effect})
    for effect, name in zip(effects, NAMES, strict=False):
        _line(axes, [one for one in rates if one.effect == effect], f"+{100 * effect:.0f} %", name)
    axes.set_title("gates that find a slow-down in one cell, %", fontsize=style.TITLE, loc="left")
    if effects:
        axes.legend(frameon=False, fontsize=style.LABEL)


def _line(axes: Axes, rates: Sequence[GateRates], label: str, name: str) -> None:
    look, powers = style.KNOWN[name], [one.power for one in rates]
    middles = [100 * one[0] for one in powers]
    errors = [
        [100 * (middle - low) for middle, low, _ in powers],
        [100 * (high - middle) for middle, _, high in powers],
    ]
    axes.errorbar(
        [one.budget for one in rates],
        middles,
        yerr=errors,
        label=label,
        color=look.colour,
        marker=look.marker,
        linestyle=look.dashes,
        capsize=3,
    )


def _false_alarms(axes: Axes, rates: Sequence[GateRates]) -> None:
    """The bound rather than the share: none of few gates promises little."""
    budgets = [one.budget for one in rates]
    alarms, bounds = ([100 * value for value in values] for values in _alarm_shares(rates))
    undecided = [100 * one.undecided / one.gates for one in rates]
    axes.plot(budgets, undecided, color=style.GREY, marker="s", label="undecided")
    axes.plot(budgets, alarms, color=style.COLOURS[2], marker="o", label=FALSE)
    axes.plot(budgets, bounds, color=style.COLOURS[2], linestyle=":", label=f"{FALSE}, 95 % bound")
    axes.axhline(100 * PROMISE, color=style.COLOURS[0], linewidth=0.8, label="1 %, the promise")
    axes.set_title("gates of two equal versions, %", fontsize=style.TITLE, loc="left")
    axes.legend(frameon=False, fontsize=style.LABEL)


def _alarm_shares(rates: Sequence[GateRates]) -> tuple[list[float], list[float]]:
    return [one.alarms / one.gates for one in rates], [one.alarm_bound for one in rates]
