"""A job's cells in two rounds: a pilot of each, and then further launches, one at a time, for the
cells where these decide most for their time.

What is decided by its pilot leaves its seconds to the others.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager

from harness import statistics
from harness.formatting import counted
from harness.records import Seconds
from harness.statistics import LaunchVariance
from harness.timing.cell_progress import CellProgress, LaunchRule
from harness.timing.cell_spec import CellSpec
from harness.timing.launch_pool import LaunchPool
from harness.timing.launch_variances import launch_variances, launches_wanted
from harness.timing.session_schedule import next_cell
from harness.timing.time_budget import TimeBudget

MachineLock = Callable[[], AbstractContextManager[Seconds]]


class CellRounds:
    """Measures cells in the launches of a ``pool``, within a ``budget`` that is theirs together.

    ``waiting`` are those that are to get further launches, by key. ``rule`` says which arms are
    undecided. The machine is held for a pilot, and for each further launch.
    """

    def __init__(
        self,
        pool: LaunchPool,
        budget: TimeBudget,
        lock: MachineLock,
        announce: Callable[[str], None],
        rule: LaunchRule = launches_wanted,
    ) -> None:
        self._pool, self._budget, self._lock = pool, budget, lock
        self._announce, self._rule = announce, rule
        self._rows: list[LaunchVariance] = []
        self.waiting: dict[str, CellProgress] = {}

    def measure(self, specs: Mapping[str, CellSpec]) -> Generator[CellProgress]:
        """Each cell, by key, when it is settled. Those that are interrupted stay in ``waiting``."""
        for number, (key, spec) in enumerate(specs.items()):
            cell = CellProgress(key, spec)
            self._measure_pilot(cell, len(specs) - number)
            if cell.is_settled:
                yield cell
            else:
                self.waiting[key] = cell
        yield from self._further_launches(len(specs))

    def _measure_pilot(self, cell: CellProgress, cells: int) -> None:
        """``cells`` have no pilot yet, this one among them, and as much a claim to what is left."""
        seconds = min(cell.spec.protocol.cell_seconds, self._budget.left / cells)
        with self._lock() as waited:
            cell.lock_wait += waited
            cell.measure_pilot(self._pool, self._budget, seconds, self._announcing(cell))
        cell.decide(self._rule, statistics.fit_prior(self._rows))
        self._rows += launch_variances(cell.spec, cell.measured, cell.key).values()

    def _further_launches(self, cells: int) -> Generator[CellProgress]:
        """The cells that wait, when they are settled: all of them once nothing is left to spend."""
        priors = statistics.priors(self._rows)  # by now of all other cells
        for cell in self.waiting.values():
            cell.decide(self._rule, priors.get(cell.key))
        while self.waiting:
            for key in [key for key, cell in self.waiting.items() if cell.is_settled]:
                yield self.waiting.pop(key)
            candidates = {key: cell.undecided_cell() for key, cell in self.waiting.items()}
            chosen = next_cell(candidates, self._budget.left)
            if chosen is None:
                break
            self._measure_launch(self.waiting[chosen], _state(cells - len(candidates), cells))
            self.waiting[chosen].decide(self._rule, priors.get(chosen))
        for key in list(self.waiting):
            yield self.waiting.pop(key)

    def _measure_launch(self, cell: CellProgress, state: str) -> None:
        with self._lock() as waited:
            cell.lock_wait += waited
            self._announcing(cell)(f"launch {cell.launches + 1}; {state}")
            cell.measure_launch(self._pool, self._budget, self._budget.left)

    def _announcing(self, cell: CellProgress) -> Callable[[str], None]:
        setup = cell.spec.setup
        where = f"{setup.phase} {'×'.join(map(str, setup.problem.shape))}"
        return lambda text: self._announce(f"{where}: {text}")


def _state(decided: int, cells: int) -> str:
    """12 cells decided, 3 get more launches."""
    left = cells - decided
    return (
        f"{counted(decided, 'cell')} decided, {left} {'gets' if left == 1 else 'get'} more launches"
    )
