"""Gates drawn from launches that were measured here: false alarms and power against budget.

    python tests/experiments/gate_resampled.py measure quiet
    python tests/experiments/gate_resampled.py measure busy
    python tests/experiments/gate_resampled.py draw [--equal 2000] [--planted 400]

`measure` does what `bnbench gate --self-test` does, three times, with twenty launches each of base,
head and canary in five cells of fused_cpu on one thread, with nothing else running, or with a
process on one CPU that never rests. It adds the launches to `reports/gate/launches-CONDITION.json`.
`draw` plays gates with them, on all CPUs: ``--equal`` gates of two equal versions for each of five
budgets, and ``--planted`` for each budget and slow-down. Writes `reports/gate/resampled.md` and a
picture for each condition.
Exits with 1 where more gates alarm than the promised 1 %, beyond doubt.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain
from math import expm1
from pathlib import Path
from statistics import fmean, median, stdev

import numpy as np

from harness import formatting, statistics
from harness.cli.gate_self_test import measured, settings
from harness.gate.error_rates import EFFECTS, Draw, GateRates, error_rates
from harness.gate.measured_cells import MeasuredCell, read_cells, write_cells
from harness.gate.self_test import drawn
from harness.gate.simulation import Launches
from harness.report.figures.gate_power import power_figure
from tests.experiments.cells import busy_loop
from tests.experiments.gate_error_rates import RULE, is_broken

REPORTS = Path(__file__).parents[2] / "reports/gate"
CONDITIONS = {"quiet": None, "busy": 0}  # the CPU that is kept busy
MEASURED = (
    "implementations=[fused_cpu]",
    "problem.shapes=[[256,128],[8,64,28,28],[4,256,14,14],[32,128,7,7],[8,16,56,56]]",
    "task.phases=[forward_training]",
    "task.faces=[kernel]",
    "task.launches=20",
    "device.threads=1",
)
SESSIONS = 3
LAUNCHES = (3.0, 4.0, 6.0, 8.0, 12.0)  # budgets, in launches of a cell
MOST = 24  # launches of one cell
PAGE = """\
# Error rates of gates that are drawn from measured launches

`{command}`. Two arms
with the same code were measured in {launches} launches of each of five cells by
`bnbench gate --self-test`, on two EPYC cores in a virtual machine. A gate is of ten cells, each of
the five with two sets of launches, which are taken at random; in half of them base and head change
places. False alarms: gates of two equal versions in which any cell is called SLOWER, and what their
share lies below with 95 % confidence. Undecided: those that could not rule out a slow-down beyond
the margin of {margin} in every cell. A slow-down is planted in one of the ten cells; +3 % lies on
the margin.
"""
SECTION = """
## {title}

{about}

{table}

![Power and false alarms against budget]({picture})
"""


@dataclass(frozen=True)
class Played:
    """What a process plays: one budget and one effect."""

    condition: str
    budget: float
    effect: float
    gates: int


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("measure").add_argument("condition", choices=CONDITIONS)
    drawing = commands.add_parser("draw")
    drawing.add_argument("--equal", type=int, default=2000)
    drawing.add_argument("--planted", type=int, default=400)
    given = parser.parse_args()
    if given.command == "measure":
        return measure(given.condition)
    return draw(given.equal, given.planted)


def measure(condition: str) -> int:
    path = _launches(condition)
    with busy_loop(CONDITIONS[condition]):
        for _ in range(SESSIONS):
            sessions = [measured(settings(MEASURED)[0])]
            if path.exists():
                sessions.insert(0, read_cells(path))
            write_cells([joined(cells) for cells in zip(*sessions, strict=True)], path)
    return 0


def joined(cells: Sequence[MeasuredCell]) -> MeasuredCell:
    """One cell of several sessions, with the launches of all."""
    [name] = {one.name for one in cells}
    return MeasuredCell(
        name,
        tuple(chain.from_iterable(one.head for one in cells)),
        tuple(chain.from_iterable(one.canary for one in cells)),
        tuple(chain.from_iterable(one.planted for one in cells)),
        fmean(chain.from_iterable([one.seconds] * len(one.head) for one in cells)),
    )


def draw(equal: int, planted: int) -> int:
    measured = {name: read_cells(_launches(name)) for name in CONDITIONS}
    wanted = [
        Played(name, launches * fmean(one.seconds for one in cells), effect, count)
        for name, cells in measured.items()
        for launches in LAUNCHES
        for effect in EFFECTS
        for count in [planted if effect else equal]
    ]
    with ProcessPoolExecutor() as pool:
        rates = list(pool.map(partial(_rates, measured), wanted))
    found = {
        name: [each for one, each in zip(wanted, rates, strict=True) if one.condition == name]
        for name in CONDITIONS
    }
    command = f"python tests/experiments/gate_resampled.py draw --equal {equal} --planted {planted}"
    (REPORTS / "resampled.md").write_text(page(measured, found, command), "utf-8")
    for name, each in found.items():
        power_figure(each, "seconds a cell").savefig(REPORTS / _picture(name))
    return int(any(is_broken(one) for each in found.values() for one in each))


def _rates(measured: dict[str, list[MeasuredCell]], wanted: Played) -> GateRates:
    cells = measured[wanted.condition]
    draw = twice(drawn(cells, len(cells[0].head)))
    [found] = error_rates(
        RULE, draw, [wanted.budget], wanted.gates, seed=0, effects=(wanted.effect,), most=MOST
    )
    sys.stderr.write(f"{wanted}: {found.alarms} alarms, {found.found} found\n")
    return found


def twice(draw: Draw) -> Draw:
    """Gates of ten cells from five: each of them with two sets of launches."""

    def draw_both(random: np.random.Generator, count: int) -> Launches:
        one, other = draw(random, count), draw(random, count)
        return Launches(
            np.hstack([one.head, other.head]),
            np.hstack([one.canary, other.canary]),
            (*one.seconds, *other.seconds),
        )

    return draw_both


def page(
    measured: dict[str, list[MeasuredCell]], found: dict[str, list[GateRates]], command: str
) -> str:
    [launches] = {len(cell.head) for cells in measured.values() for cell in cells}
    margin = formatting.percent(RULE.margin)
    sections = [
        SECTION.format(
            title={"quiet": "On a quiet machine", "busy": "Beside a busy process"}[name],
            about=about(measured[name], found[name]),
            table=table(found[name]),
            picture=_picture(name),
        )
        for name in CONDITIONS
    ]
    return PAGE.format(command=command, launches=launches, margin=margin) + "".join(sections)


def about(cells: Sequence[MeasuredCell], found: Sequence[GateRates]) -> str:
    noise = [stdev(one.head) for one in cells]
    planted = [expm1(fmean(one.planted)) for one in cells if one.planted]
    equal = [one for one in found if not one.effect]
    gates, alarms = sum(one.gates for one in equal), sum(one.alarms for one in equal)
    bound = statistics.binomial_upper(alarms, gates, 0.05)
    return (
        f"A launch's log-ratio has a standard deviation of {formatting.percent(median(noise))} in "
        f"the median cell, {formatting.percent(min(noise))} in the quietest and "
        f"{formatting.percent(max(noise))} in the noisiest. An arm that does a tenth of its work "
        f"once more took {formatting.percent(median(planted))} longer. Of {gates:,} gates of equal "
        f"versions {alarms} alarmed: less than {100 * bound:.2f} %, with 95 % confidence."
    )


def table(found: Sequence[GateRates]) -> str:
    effects = [effect for effect in EFFECTS if effect]
    header = ["seconds a cell, at most", "used", "launches", "gates", "false alarms", "undecided"]
    header += [f"+{formatting.percent(effect)} found" for effect in effects]
    by_place = {(one.budget, one.effect): one for one in found}
    lines = []
    for budget in dict.fromkeys(one.budget for one in found):
        equal = by_place[budget, 0.0]
        powers = [by_place[budget, effect].power[0] for effect in effects]
        lines.append(
            [
                f"{budget:.2g}",
                f"{equal.seconds:.2g}",
                f"{equal.launches:.1f}",
                f"{equal.gates:,}",
                f"{equal.alarms} (< {100 * equal.alarm_bound:.2f} %)",
                formatting.percent(equal.undecided / equal.gates),
                *(formatting.percent(power) for power in powers),
            ]
        )
    return formatting.columns(header, lines, range(len(header)))


def _launches(condition: str) -> Path:
    return REPORTS / f"launches-{condition}.json"


def _picture(condition: str) -> str:
    return f"resampled-{condition}.png"


if __name__ == "__main__":
    sys.exit(main())
