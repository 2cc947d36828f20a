"""Gates made up: facts without a repository, and records of base and head without a measurement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from harness.analysis.gate_cells import Decide, gate_cells
from harness.analysis.gate_facts import GateCell, GateFacts, GatePair, GateTree
from harness.analysis.gate_rule import rule_over_cells
from harness.records import Status, ThroughputRecord
from harness.statistics.stopping_rule import StoppingRule
from tests.helpers.synthetic import BASELINE, SHAPES, cell, throughput

HEAD, RULE = "head", StoppingRule()
PAIR = GatePair("mine", BASELINE, HEAD)
TREES = (GateTree("main", "a" * 40, "b" * 40), GateTree("v2", "c" * 40, "d" * 40, ("my_bn.py",)))
STATUSES = {"base": BASELINE, "head": HEAD}


def records(
    ratios: Sequence[float] = (1.0,), statuses: Mapping[str, Status] | None = None, **about: Any
) -> list[ThroughputRecord]:
    """Of base and head in as many cells as there are ratios of their times."""
    failed = {STATUSES[side]: status for side, status in (statuses or {}).items()}
    made: list[ThroughputRecord] = []
    for index, (shape, ratio) in enumerate(zip(SHAPES, ratios, strict=False)):
        speeds = {BASELINE: 1.0, "canary": 1.0, HEAD: ratio}
        options = {"noise": 0.002, "seed": index, **about}
        made += throughput(cell(shape), speeds, failed=failed, **options)
    return made


def renamed(made: Sequence[ThroughputRecord], **names: str) -> list[ThroughputRecord]:
    """The same records of arms with other names, by `STATUSES`."""
    others = {STATUSES[side]: name for side, name in names.items()}
    baseline = others.get(BASELINE, BASELINE)
    return [
        replace(
            one,
            identity=replace(
                one.identity,
                implementation=others.get(one.implementation, one.implementation),
                cell=replace(one.cell, baseline=baseline),
            ),
        )
        for one in made
    ]


def cells(*given: Any, alarms: float = 0.01, **about: Any) -> list[GateCell]:
    return list(gate_cells(records(*given, **about), [PAIR], decided(StoppingRule(alarms))))


def decided(rule: StoppingRule = RULE) -> Decide:
    """What decides on times, by this rule."""
    return partial(rule_over_cells, rule=rule)


def facts(made: Sequence[GateCell], **about: Any) -> GateFacts:
    base, head = TREES
    given = {"alarms": 0.01, "margin": 0.03, "seconds": 300.0, **about}
    return GateFacts("s1", base, head, tuple(made), **given)
