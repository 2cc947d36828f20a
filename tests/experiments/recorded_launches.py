"""What moderated variances decide of the sessions whose samples are committed under `reports/`, and
of the first few of their launches alone.

Samples tell no bytes and no flags: the prior's trend is over the arm's process and the spread of
blocks only, and flagged comparisons count like others.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import pyarrow.parquet as pq

from harness import formatting, statistics
from harness.records import CANARY, Seconds, TimedSample, Verdict
from harness.statistics import LaunchVariance, VariancePrior
from implementations import registry

REPORTS = Path(__file__).parents[2] / "reports"
BASELINE, PILOT = "torch_native", 8
LAUNCHES = (2, 3, None)
Cell = Mapping[str, Sequence[TimedSample]]


@dataclass(frozen=True)
class Launches:
    """The log-ratios of one arm to the baseline in one cell, one a launch."""

    arm: str
    log_ratios: Sequence[float]
    row: LaunchVariance


def recorded_table(alpha: float, margin: float) -> str:
    """A row a session and number of launches: all, or the first few alone."""
    header = [
        "session",
        "launches",
        "comparisons",
        "decided",
        "half-width, median",
        "widest",
        "A/A without 1",
    ]
    rows = []
    for name, cells in recorded_sessions():
        for launches in LAUNCHES:
            made = compared(cells, launches)
            rows.append([name, str(launches or "all"), *_row(made, alpha, margin)])
    return formatting.columns(header, rows, range(1, len(header)))


def recorded_sessions() -> Iterator[tuple[str, list[Cell]]]:
    """By folder, those with timed samples in three cells or more."""
    for path in sorted(REPORTS.rglob("samples.parquet")):
        cells = cells_of(path)
        if len(cells) > statistics.LEAST_CELLS:
            yield str(path.parent.relative_to(REPORTS)), cells


def cells_of(path: Path) -> list[Cell]:
    """A cell ends where an implementation comes that it has already."""
    cells: list[dict[str, list[TimedSample]]] = []
    known: set[str] = set()
    for row in pq.read_table(path).to_pylist():
        if row["task"] != "throughput":
            continue
        arm = row["implementation"]
        if row["key"] not in known:
            known.add(row["key"])
            if not cells or arm in cells[-1]:
                cells.append({})
            cells[-1][arm] = []
        seconds, aside = Seconds(row["seconds"]), bool(row.get("set_aside"))
        sample = TimedSample(row["launch"], row["block"], row["calls"], seconds, set_aside=aside)
        cells[-1][arm].append(sample)
    return [cell for cell in cells if BASELINE in cell]


def compared(cells: Sequence[Cell], launches: int | None) -> list[Launches]:
    made = []
    for number, cell in enumerate(cells):
        for arm in cell.keys() - {BASELINE}:
            by_launch = statistics.block_log_ratios(cell, arm, BASELINE)[:launches]
            separate = arm != CANARY and registry.is_foreign(arm)
            row = statistics.launch_variance(
                by_launch, PILOT, str(number), size=1.0, separate=separate
            )
            if row is not None:
                row = replace(row, covariates=(None, *row.covariates[1:]))
                made.append(Launches(arm, [median(blocks) for blocks in by_launch], row))
    return sorted(made, key=lambda one: (int(one.row.cell), one.arm))


def _row(made: Sequence[Launches], alpha: float, margin: float) -> list[str]:
    fitted = statistics.priors([one.row for one in made])
    found = [(one, fitted[one.row.cell]) for one in made]
    moderated = [None if prior is None else prior.of(one.row.covariates) for one, prior in found]
    judged = [_judge(made, priors, alpha, margin) for priors in ([None] * len(made), moderated)]
    comparisons = sum(one.arm != CANARY for one in made)
    return [str(comparisons), *(" / ".join(pair) for pair in zip(*judged, strict=True))]


def _judge(
    made: Sequence[Launches], priors: Sequence[VariancePrior | None], alpha: float, margin: float
) -> list[str]:
    """Of one kind: how many are decided, half-widths, and how many A/A intervals miss 1."""
    intervals = [
        statistics.interval(one.log_ratios, alpha, PILOT, prior)
        for one, prior in zip(made, priors, strict=True)
    ]
    levels = [
        statistics.decision_level(one.log_ratios, margin, PILOT, prior)
        for one, prior in zip(made, priors, strict=True)
        if one.arm != CANARY
    ]
    stands = statistics.holm(levels, alpha)
    arms = [interval for one, interval in zip(made, intervals, strict=True) if one.arm != CANARY]
    canaries = [found for one, found in zip(made, intervals, strict=True) if one.arm == CANARY]
    decided = sum(
        stood and statistics.verdict(interval, margin) is not Verdict.AMBIGUOUS
        for interval, stood in zip(arms, stands, strict=True)
    )
    widths = [math.log(interval.high / interval.estimate) for interval in arms]
    missing = sum(not found.low <= 1 <= found.high for found in canaries)
    return [
        str(decided),
        f"{100 * math.expm1(median(widths)):.1f} %",
        f"{100 * math.expm1(max(widths)):.1f} %",
        f"{missing} of {len(canaries)}",
    ]
