"""False alarms and power of a gate's stopping rule, by simulation.

    python tests/experiments/gate_error_rates.py [--gates 300] [--seed 0]

Whole gates are played by the product's own functions: base against base, and with one cell that is
3, 5, 10 or 20 % slower. A launch costs one second, so that budgets are launches a cell. Noise is
made up as `gate_noise` says, or like the committed sessions' launches. The last table has rules
that are broken on purpose: looks that each have the whole level, cells that each have it, and
outlying launches that are believed; at a margin that hides nothing.

Writes `reports/gate/error_rates.md` and its picture. Exits with 1 where more gates of the rule
itself alarm than the promised 1 %, beyond doubt.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from harness import formatting, statistics
from harness.gate.error_rates import Draw, GateRates, error_rates
from harness.report.figures.gate_power import power_figure
from harness.statistics import stopping_rule
from harness.statistics.decisions import verdict
from harness.statistics.stopping_rule import StoppingRule
from tests.experiments.gate_noise import NOISES, draws, normal, outlying_launches, recorded

FOLDER = Path(__file__).parents[2] / "reports/gate"
RULE = StoppingRule()
CELLS, BUDGET = (1, 10, 50), 8.0
BUDGETS = (3.0, 4.0, 6.0, 8.0, 12.0)
DEVIATIONS = (0.01, 0.02, 0.04)
NARROW = 0.001  # a margin that hides no false alarm
DOUBT = 0.01
SHARE = {1: 8.0, 10: 1.5, 50: 1.0}  # times the gates that are asked for: large ones take longer
Row = tuple[str, float, GateRates]
PAGE = """\
# Error rates of a gate's stopping rule, simulated

`{command}`.
[MEASURING](../../MEASURING.md#the-rule-of-a-gate) explains the rule: at most {alarms} of gates
of two equal versions may call any cell SLOWER, over all cells and looks; margin {margin}, a pilot
of {pilot} launches. A launch's log-ratio has a standard deviation of 1, 2 or 4 %, as a median over
cells; one cell in three is noisier, or quieter, by a factor of 1.6.

## Base against base

Up to eight launches a cell. Bound: what the probability of a false alarm lies below with 95 %
confidence (Clopper-Pearson), which without any alarm tells how many gates were played.
Undecided: gates that could not rule out a slow-down beyond the margin in every cell.

{false_alarms}

## What is found

Ten cells, one of which is slower; normal noise, then noise like that of recorded launches. +3 %
lies on the margin: to find it is an error, though no alarm for nothing.

{power}

![Power against budget, by effect](error_rates.png)

## Rules that are broken on purpose

Base against base, ten cells, and a margin of {narrow}, so that nothing but the levels holds alarms
back. {broken_about}

{broken}
"""
BROKEN_ABOUT = """\
The rule as it is stands first; each other row leaves a part of it out, under the noise that this
part is there for. Where a row without a part has no more alarms than the rule, this table does not
show that the part is needed."""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--gates", type=int, default=300, help="of ten cells, in each row")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    if given.gates < 1:
        parser.error(f"--gates is {given.gates}, and must be at least 1")
    equal = list(_noted(false_alarms(given.gates, given.seed)))
    powers = list(_noted(power(given.gates, given.seed)))
    broken = list(_noted(broken_rules(given.gates, given.seed)))
    FOLDER.mkdir(parents=True, exist_ok=True)
    command = f"python tests/experiments/gate_error_rates.py --gates {given.gates}"
    FOLDER.joinpath("error_rates.md").write_text(page(equal, powers, broken, command), "utf-8")
    two_percent = [rates for name, deviation, rates in powers if deviation == DEVIATIONS[1]]
    power_figure(two_percent, "launches a cell").savefig(FOLDER / "error_rates.png")
    return int(any(is_broken(rates) for _, _, rates in equal))


def false_alarms(gates: int, seed: int) -> Iterator[Row]:
    """Equal versions under every kind of noise, in gates of every size."""
    for cells in CELLS:
        count = max(1, round(SHARE[cells] * gates))
        noises = {name: draws(noise, cells, 0.02) for name, noise in NOISES.items()}
        for name, draw in [*noises.items(), ("as recorded", recorded(cells))]:
            for rates in error_rates(RULE, draw, [BUDGET], count, seed, effects=(0.0,)):
                yield name, 0.02, rates


def power(gates: int, seed: int) -> Iterator[Row]:
    """Ten cells at every budget."""
    count, effects = max(1, gates // 6), (0.0, 0.03, 0.05, 0.1, 0.2)
    kinds: list[tuple[str, float, Draw]] = [
        ("normal", deviation, draws(normal, 10, deviation)) for deviation in DEVIATIONS
    ]
    for name, deviation, draw in [*kinds, ("as recorded", 0.0, recorded(10))]:
        for rates in error_rates(RULE, draw, BUDGETS, count, seed, effects):
            yield name, deviation, rates


def broken_rules(gates: int, seed: int) -> Iterator[Row]:
    rule = replace(RULE, margin=NARROW)
    alone = replace(rule, alarms=min(0.5, 10 * rule.alarms))
    spent = "each look has the whole level"
    believed = "outlying launches are believed"
    kinds: tuple[
        tuple[str, StoppingRule, Draw, Callable[[], AbstractContextManager[object]]], ...
    ] = (
        ("the rule, normal noise", rule, draws(normal, 10, 0.02), nullcontext),
        (spent, rule, draws(normal, 10, 0.02), unspent_looks),
        ("each cell has the whole level", alone, draws(normal, 10, 0.02), nullcontext),
        ("the rule, outlying launches", rule, draws(outlying_launches, 10, 0.02), nullcontext),
        (believed, rule, draws(outlying_launches, 10, 0.02), believed_outliers),
    )
    for name, own, draw, breaking in kinds:
        with breaking():
            for rates in error_rates(own, draw, [BUDGET], gates, seed, effects=(0.0,)):
                yield name, 0.02, rates


def unspent_looks() -> AbstractContextManager[object]:
    return patch.object(stopping_rule, "_nominal", lambda level, looks: (level,) * len(looks))


def believed_outliers() -> AbstractContextManager[object]:
    return patch.object(
        stopping_rule, "_robust_verdict", lambda found, launches, margin: verdict(found, margin)
    )


def is_broken(rates: GateRates) -> bool:
    """Whether more gates alarm than promised, beyond doubt."""
    low, _ = statistics.binomial_interval(rates.alarms, rates.gates, DOUBT)
    return low > RULE.alarms


def page(equal: Sequence[Row], powers: Sequence[Row], broken: Sequence[Row], command: str) -> str:
    return PAGE.format(
        command=command,
        alarms=formatting.percent(RULE.alarms),
        margin=formatting.percent(RULE.margin),
        pilot=RULE.pilot,
        narrow=formatting.percent(NARROW),
        false_alarms=alarm_table(equal, "noise"),
        power=power_table(powers),
        broken=alarm_table(broken, "rule"),
        broken_about=BROKEN_ABOUT,
    )


def alarm_table(rows: Sequence[Row], what: str) -> str:
    header = [what, "cells", "gates", "alarms", "bound", "undecided", "launches a cell"]
    lines = [
        [
            name,
            str(rates.cells),
            f"{rates.gates:,}",
            str(rates.alarms),
            f"{100 * rates.alarm_bound:.2f} %",
            f"{100 * rates.undecided / rates.gates:.0f} %",
            f"{rates.launches:.1f}",
        ]
        for name, _, rates in rows
    ]
    return formatting.columns(header, lines, range(1, len(header)))


def power_table(rows: Sequence[Row]) -> str:
    """A row a noise and budget, a column an effect."""
    effects = sorted({rates.effect for _, _, rates in rows if rates.effect})
    places = dict.fromkeys((name, deviation, rates.budget) for name, deviation, rates in rows)
    found = {(n, d, rates.budget, rates.effect): rates for n, d, rates in rows}
    header = ["noise", "launches a cell, at most", "used, base against base"]
    header += [f"+{formatting.percent(effect)} found" for effect in effects]
    lines = []
    for name, deviation, budget in places:
        spread = f" {formatting.percent(deviation)}" if deviation else ""
        equal = found[name, deviation, budget, 0.0]
        powers = [found[name, deviation, budget, effect].power[0] for effect in effects]
        used = f"{equal.launches:.1f}"
        lines.append(
            [f"{name}{spread}", f"{budget:.0f}", used, *(f"{100 * one:.0f} %" for one in powers)]
        )
    return formatting.columns(header, lines, range(1, len(header)))


def _noted(rows: Iterator[Row]) -> Iterator[Row]:
    began = time.monotonic()
    for name, deviation, rates in rows:
        sys.stderr.write(
            f"{time.monotonic() - began:.0f} s: {name} {deviation:g}, {rates.cells} cells, "
            f"+{rates.effect:g}, budget {rates.budget:g}: {rates.alarms} alarms, {rates.found} "
            f"found of {rates.gates}\n"
        )
        yield name, deviation, rates


if __name__ == "__main__":
    sys.exit(main())
