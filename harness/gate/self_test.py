"""What a gate on this machine would find at which budget, and how often it would cry wolf.

Two arms of the same code, and one that really does more work, are measured in many launches. Gates
are then drawn from these launches, thousands of them: equal ones, and some with a slow-down planted
in one cell. A gate draws whole launches, without putting any back, so that what disturbed the cells
of a launch together stays together, and no launch vouches for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import expm1
from statistics import fmean, median
from typing import TYPE_CHECKING

from harness.gate.error_rates import Draw, GateRates, error_rates
from harness.gate.simulation import Launches
from harness.records import CANARY, Cost, ThroughputRecord, TimedSample
from harness.statistics import block_log_ratios
from harness.statistics.stopping_rule import StoppingRule

if TYPE_CHECKING:
    from numpy import float64
    from numpy.random import Generator
    from numpy.typing import NDArray

BASE, HEAD, PLANTED = "base", "head", "planted"
# Times the pilot, at least, that must have been measured: gates drawn from fewer are all alike.
LEAST_PILOTS = 2
BUDGETS = (1.0, 4 / 3, 2.0, 8 / 3, 4.0)  # of a gate, times the pilot's
Measure = Callable[[], Sequence[ThroughputRecord]]


@dataclass(frozen=True)
class MeasuredCell:
    """Log-ratios over the base, one a launch; ``planted`` are of the arm that does more work.
    ``seconds`` were spent in one launch on warming up and sampling base, head and canary.
    """

    name: str
    head: tuple[float, ...]
    canary: tuple[float, ...]
    planted: tuple[float, ...]
    seconds: float


@dataclass(frozen=True)
class SelfTest:
    """``launches`` were measured in each of the cells, whose equal arms differ by a standard
    deviation of ``noise``, a median over cells. ``planted`` is the slow-down that the arm with more
    work had in each, relative.
    """

    launches: int
    cells: tuple[str, ...]
    noise: float
    planted: tuple[float, ...]
    rates: tuple[GateRates, ...]


class TooFewLaunchesError(Exception):
    """What was measured is too little to draw gates from."""


def self_test(measure: Measure, rule: StoppingRule, gates: int, seed: int) -> SelfTest:
    """Measure, and draw so many gates for each budget and effect.

    Raises ``TooFewLaunchesError`` where too little was measured, with what is missing.
    """
    cells = measured_cells(measure())
    launches = min((len(one.head) for one in cells), default=0)
    if launches < LEAST_PILOTS * rule.pilot:
        raise TooFewLaunchesError(
            f"{len(cells)} cells were measured in base and head, with {launches} launches in the "
            f"least of them; a self-test needs a cell, and {LEAST_PILOTS * rule.pilot} launches of "
            "each, so give more launches (task.launches) or time (task.cell_seconds)"
        )
    seconds = fmean(one.seconds for one in cells)
    budgets = [times * rule.pilot * seconds for times in BUDGETS if times * rule.pilot <= launches]
    rates = error_rates(rule, drawn(cells, launches), budgets, gates, seed, most=launches)
    return SelfTest(
        launches,
        tuple(one.name for one in cells),
        _noise(cells),
        tuple(expm1(fmean(one.planted)) for one in cells if one.planted),
        tuple(rates),
    )


def drawn(cells: Sequence[MeasuredCell], launches: int) -> Draw:
    """A gate's launches, from the first ``launches`` of each cell: all arms and cells of a launch
    together. In half of the gates base and head are exchanged, and the order of cells is random, so
    that a slow-down is planted in any of them.
    """
    import numpy as np

    head, canary = (
        np.array([values[:launches] for values in arm]).T
        for arm in ([one.head for one in cells], [one.canary for one in cells])
    )
    seconds = np.array([one.seconds for one in cells])

    def draw(random: Generator, count: int) -> Launches:
        rows, columns = random.permutation(launches)[:count, None], random.permutation(len(cells))
        sign = random.choice([-1, 1])
        return Launches(
            sign * head[rows, columns], canary[rows, columns], tuple(seconds[columns].tolist())
        )

    return draw


def measured_cells(records: Sequence[ThroughputRecord]) -> list[MeasuredCell]:
    """Those in which base and head, and their canary, have figures."""
    by_cell: dict[str, dict[str, ThroughputRecord]] = {}
    for record in records:
        if record.figures is not None:
            by_cell.setdefault(record.identity.cell_key, {})[record.implementation] = record
    complete = [arms for arms in by_cell.values() if {BASE, HEAD, CANARY} <= arms.keys()]
    return [_measured_cell(arms) for arms in complete]


def _measured_cell(arms: Mapping[str, ThroughputRecord]) -> MeasuredCell:
    samples = {name: record.samples for name, record in arms.items()}
    head, canary = (_log_ratios(samples, name) for name in (HEAD, CANARY))
    cell, gate_arms = arms[BASE].cell, [arms[name] for name in (BASE, HEAD, CANARY)]
    spent = sum(map(_seconds, gate_arms))
    return MeasuredCell(
        f"{'×'.join(map(str, cell.problem.shape))} {cell.phase} {cell.face}",
        head,
        canary,
        _log_ratios(samples, PLANTED) if PLANTED in samples else (),
        spent / len(head),
    )


def _log_ratios(samples: Mapping[str, Sequence[TimedSample]], arm: str) -> tuple[float, ...]:
    return tuple(median(blocks) for blocks in block_log_ratios(samples, arm, BASE))


def _seconds(record: ThroughputRecord) -> float:
    cost: Cost = record.cost
    sampled = sum(sample.seconds + sample.untimed for sample in record.samples)
    return sampled + (cost.warm_up_seconds or 0.0)


def _noise(cells: Sequence[MeasuredCell]) -> float:
    import numpy as np

    heads: list[NDArray[float64]] = [np.array(one.head) for one in cells]
    return float(median(float(values.std(ddof=1)) for values in heads))
