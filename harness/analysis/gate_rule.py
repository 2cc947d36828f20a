"""What a gate's stopping rule says of recorded cells: every look is held again, in order, so that
the same records give the same verdicts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import log

from harness.analysis.gate_facts import GateCell
from harness.analysis.gate_outcomes import GateOutcome, outcome_of
from harness.problems.memory import operand_bytes
from harness.statistics.gate_noise import CellLaunches
from harness.statistics.stopping_rule import Standing, StoppingRule, look


def rule_over_cells(cells: Sequence[GateCell], rule: StoppingRule) -> list[GateCell]:
    """The cells with their outcomes, and with intervals that hold at all looks together. One with
    too few launches for a look stays AMBIGUOUS.
    """
    launches = {
        number: cell_launches(str(number), cell)
        for number, cell in enumerate(cells)
        if len(cell.log_ratios) >= rule.pilot
    }
    found = _standings(rule, list(launches.values()))
    return [
        _decided(cell, found[str(number)]) if number in launches else _too_short(cell, rule)
        for number, cell in enumerate(cells)
    ]


def cell_launches(name: str, cell: GateCell) -> CellLaunches:
    size = () if cell.cell is None else (log(operand_bytes(cell.cell.problem)),)
    return CellLaunches(name, cell.log_ratios, cell.canary, size)


def _standings(rule: StoppingRule, cells: Sequence[CellLaunches]) -> Mapping[str, Standing]:
    """After the look at the pilots, and one after each further launch; the last one spends what is
    left of the levels.
    """
    most = max((len(one.log_ratios) for one in cells), default=0)
    standings: tuple[Standing, ...] = ()
    for count in range(rule.pilot, most + 1):
        seen = [
            replace(one, log_ratios=one.log_ratios[:count], canary=one.canary[:count])
            for one in cells
        ]
        standings = look(rule, seen, standings, last=count == most)
    return {one.cell: one for one in standings}


def _decided(cell: GateCell, standing: Standing) -> GateCell:
    return replace(cell, outcome=outcome_of(standing.verdict), ratio=standing.interval)


def _too_short(cell: GateCell, rule: StoppingRule) -> GateCell:
    reason = (
        f"only {len(cell.log_ratios)} of the {rule.pilot} launches that a first look takes; give "
        "gate.seconds more"
    )
    return replace(cell, outcome=GateOutcome.AMBIGUOUS, reason=reason)
