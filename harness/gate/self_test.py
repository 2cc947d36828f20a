"""What a gate on this machine would find at which budget, and how often it would cry wolf.

Two arms of the same code, and one that really does more work, are measured in many launches. Gates
are then drawn from these launches, thousands of them: equal ones, and some with a slow-down planted
in one cell. A gate draws whole launches, without putting any back, so that what disturbed the cells
of a launch together stays together, and no launch vouches for itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import expm1
from statistics import fmean, median
from typing import TYPE_CHECKING

from harness.gate.error_rates import Draw, GateRates, error_rates
from harness.gate.measured_cells import MeasuredCell
from harness.gate.simulation import Launches
from harness.statistics.stopping_rule import StoppingRule

if TYPE_CHECKING:
    from numpy import float64
    from numpy.random import Generator
    from numpy.typing import NDArray

# Times the pilot, at least, that must have been measured: gates drawn from fewer are all alike.
LEAST_PILOTS = 2
BUDGETS = (1.0, 4 / 3, 2.0, 8 / 3, 4.0)  # of a gate, times the pilot's


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


def self_test(cells: Sequence[MeasuredCell], rule: StoppingRule, gates: int, seed: int) -> SelfTest:
    """So many gates for each budget and effect, drawn from what was measured.

    Raises ``TooFewLaunchesError`` where too little was measured, with what is missing.
    """
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


def _noise(cells: Sequence[MeasuredCell]) -> float:
    import numpy as np

    heads: list[NDArray[float64]] = [np.array(one.head) for one in cells]
    return float(median(float(values.std(ddof=1)) for values in heads))
