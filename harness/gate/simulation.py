"""A gate without measuring: the stopping rule, given launches that are made up or were recorded.

Launches cost seconds, and the gate has a budget of them. After the pilot each cell that is open
gets another launch, as long as the budget lasts; with the last ones the rule spends what is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.records import Verdict
from harness.statistics.gate_noise import CellLaunches
from harness.statistics.stopping_rule import Standing, StoppingRule, look, undecided

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Launches:
    """The log-ratios that a gate would measure, were it to make all of its launches: one row a
    launch, one column a cell. ``canary`` is the base's to itself, or has no rows. ``seconds`` are
    those of one launch of each cell.
    """

    head: NDArray[float64]
    canary: NDArray[float64]
    seconds: tuple[float, ...]

    def slowed(self, log_ratio: float, cell: int = 0) -> Launches:
        """The same with a slow-down planted in one cell."""
        head = self.head.copy()
        head[:, cell] += log_ratio
        return Launches(head, self.canary, self.seconds)


@dataclass(frozen=True)
class PlayedGate:
    """What came of it: the verdict of each cell, and the seconds and launches it took in all.
    ``undecided`` are the cells that may be slower and stayed AMBIGUOUS.
    """

    verdicts: tuple[Verdict, ...]
    undecided: int
    launches: int
    seconds: float

    @property
    def alarmed(self) -> bool:
        return Verdict.SLOWER in self.verdicts


def play(rule: StoppingRule, launches: Launches, budget: float) -> PlayedGate:
    """One gate of so many seconds. The pilot is made even where the budget is spent before."""
    made = [rule.pilot] * launches.head.shape[1]
    standings: tuple[Standing, ...] = ()
    while True:
        left = budget - _seconds(made, launches)
        standings = look(rule, _cells(launches, made), standings, last=left < min(launches.seconds))
        wanted = _affordable(undecided(rule, standings), launches.seconds, left)
        if not wanted:
            break
        for cell in wanted:
            made[cell] += 1
    return PlayedGate(
        tuple(one.verdict for one in standings),
        sum(not one.is_decided and one.may_be_slower for one in standings),
        sum(made),
        _seconds(made, launches),
    )


def _affordable(cells: Sequence[str], seconds: Sequence[float], left: float) -> list[int]:
    """As many of the cells, in their order, as the seconds that are left allow a launch."""
    chosen = []
    for cell in map(int, cells):
        if seconds[cell] <= left:
            chosen.append(cell)
            left -= seconds[cell]
    return chosen


def _seconds(made: Sequence[int], launches: Launches) -> float:
    return sum(count * each for count, each in zip(made, launches.seconds, strict=True))


def _cells(launches: Launches, made: Sequence[int]) -> list[CellLaunches]:
    return [
        CellLaunches(
            str(cell),
            tuple(launches.head[:count, cell].tolist()),
            tuple(launches.canary[:count, cell].tolist()),
        )
        for cell, count in enumerate(made)
    ]
