"""What a gate's self-test found, as rows of texts: for the terminal and for the page."""

from __future__ import annotations

from statistics import median

from harness.formatting import counted, percent
from harness.gate.error_rates import GateRates
from harness.gate.self_test import SelfTest


def header(found: SelfTest) -> list[str]:
    effects = [f"+{percent(effect)} found" for effect in _effects(found)]
    return ["seconds a cell", "launches", "gates", "false alarms", "undecided", *effects]


def rows(found: SelfTest) -> list[list[str]]:
    """A row a budget. False alarms are those of gates of equal versions, with their bound."""
    by_place = {(one.budget, one.effect): one for one in found.rates}
    budgets = sorted({one.budget for one in found.rates})
    return [
        [
            *_equal(by_place[budget, 0.0]),
            *(percent(by_place[budget, effect].power[0]) for effect in _effects(found)),
        ]
        for budget in budgets
    ]


def sentences(found: SelfTest) -> list[str]:
    cells = counted(len(found.cells), "cell")
    planted = ""
    if found.planted:
        planted = (
            f" An arm that does a tenth of its work once more took {percent(median(found.planted))}"
            " longer, a median over cells."
        )
    about = (
        f"Gates of {cells}, drawn from {found.launches} measured launches each; two launches of "
        f"the same code differ by {percent(found.noise)}, one standard deviation.{planted}"
    )
    columns = (
        "False alarms: gates of equal versions that called any cell SLOWER, and what their share "
        "is below with 95 % confidence. Slow-downs are planted in one cell. Undecided: gates of "
        "equal versions that could not rule out a slow-down beyond the margin."
    )
    return [about, columns]


def _effects(found: SelfTest) -> list[float]:
    return sorted({one.effect for one in found.rates if one.effect})


def _equal(rates: GateRates) -> list[str]:
    return [
        f"{rates.budget:.3g}",
        f"{rates.launches:.1f}",
        f"{rates.gates:,}",
        f"{percent(rates.alarms / rates.gates)} (< {percent(rates.alarm_bound)})",
        percent(rates.undecided / rates.gates),
    ]
