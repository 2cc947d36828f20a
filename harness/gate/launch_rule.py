"""Which cells of a gate's job get another launch: those that its stopping rule has not decided."""

from __future__ import annotations

from collections.abc import Mapping
from math import log

from harness import statistics
from harness.problems.memory import operand_bytes
from harness.statistics import Prior
from harness.statistics.gate_noise import CellLaunches
from harness.statistics.stopping_rule import Standing, StoppingRule, look, undecided
from harness.timing.cell_spec import FLOORS, CellMeasurement, CellSpec
from harness.timing.messages import CellSetup


class GateLaunchRule:
    """Asked for one cell at a time, it looks at all ``cells`` of the job together, since alarms are
    shared among them: until each has its pilot, none is decided.
    """

    def __init__(self, rule: StoppingRule, cells: int) -> None:
        self._rule, self._cells = rule, cells
        self._asked: set[CellSetup] = set()
        self._launches: dict[CellSetup, CellLaunches] = {}
        self._standings: tuple[Standing, ...] = ()

    def __call__(
        self, spec: CellSpec, measured: CellMeasurement, _prior: Prior | None
    ) -> Mapping[str, int]:
        """How many launches head wants in all; the likeliest alarm wants the fewest more."""
        self._asked.add(spec.setup)
        heads = measured.samples.keys() - {spec.baseline, spec.canary, *FLOORS}
        heads -= measured.failures.keys()
        if not heads or spec.baseline in measured.failures:
            return {}
        [head] = heads
        own = _launches(spec, measured, head)
        count = len(own.log_ratios)
        if count < self._rule.pilot:
            return {head: self._rule.pilot}
        self._launches[spec.setup] = own
        if len(self._asked) < self._cells:
            return {head: count + 1}
        return {head: count + self._place(own.cell)}

    def _place(self, cell: str) -> int:
        """Its place among the undecided ones, from 1; 0 where it is decided."""
        known = list(self._launches.values())
        self._standings = look(self._rule, known, self._standings)
        waiting = undecided(self._rule, self._standings)
        return waiting.index(cell) + 1 if cell in waiting else 0


def _launches(spec: CellSpec, measured: CellMeasurement, head: str) -> CellLaunches:
    return CellLaunches(
        repr(spec.setup),
        tuple(statistics.log_ratios(measured.samples, head, spec.baseline)),
        _canary(spec, measured),
        (log(operand_bytes(spec.setup.problem)),),
    )


def _canary(spec: CellSpec, measured: CellMeasurement) -> tuple[float, ...]:
    if spec.canary in measured.failures or spec.canary not in measured.samples:
        return ()
    return tuple(statistics.log_ratios(measured.samples, spec.canary, spec.baseline))
