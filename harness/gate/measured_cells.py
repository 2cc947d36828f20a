"""What a self-test measures in a cell: so many launches of two equal arms, and of one that does
more work. They are kept in a file, so that gates can be drawn from them again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from harness.records import CANARY, Cost, ThroughputRecord, TimedSample
from harness.records.plain_data import to_plain
from harness.statistics import block_log_ratios

BASE, HEAD, PLANTED = "base", "head", "planted"
LOG_RATIOS = ("head", "canary", "planted")


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


def write_cells(cells: Sequence[MeasuredCell], path: Path) -> None:
    path.write_text(json.dumps(to_plain(cells), allow_nan=False, indent=1) + "\n", "utf-8")


def read_cells(path: Path) -> list[MeasuredCell]:
    """What `write_cells` wrote."""
    return [_read_cell(each) for each in json.loads(path.read_text("utf-8"))]


def _read_cell(found: Mapping[str, Any]) -> MeasuredCell:
    head, canary, planted = (tuple(map(float, found[name])) for name in LOG_RATIOS)
    return MeasuredCell(found["name"], head, canary, planted, float(found["seconds"]))
