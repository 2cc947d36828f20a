"""Throughput records made up from a seed: arms that take so many times as long as the baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from harness import statistics
from harness.records import (
    CANARY,
    Accuracy,
    Bytes,
    Doubt,
    Flag,
    Floor,
    Identity,
    Interval,
    MemoryUse,
    Protocol,
    QuantityError,
    Seconds,
    Status,
    StopReason,
    ThroughputCell,
    ThroughputFigures,
    ThroughputRecord,
    TimedSample,
)
from implementations.interface import Phase, Problem
from tests.helpers.synthetic_session import (
    BASELINE,
    CONDITIONS,
    COST,
    ENVIRONMENT,
    FAILURES,
    SPENT,
    TIME,
)

SHAPES = (
    (32, 64, 112, 112),
    (32, 64, 56, 56),
    (32, 256, 56, 56),
    (32, 128, 28, 28),
    (32, 512, 28, 28),
    (32, 256, 14, 14),
    (32, 1024, 14, 14),
    (32, 512, 7, 7),
    (32, 2048, 7, 7),
    (128, 64, 8, 8),
)
SPEEDS = {BASELINE: 1.0, CANARY: 1.0, "torch_compile": 0.82, "torch_unfused": 2.6, "numpy": 9.5}
BLOCKS = 5  # of a launch, that count
# Relative, in the root mean square, of the weight's gradient; a tenth of it in the output.
ERRORS = {BASELINE: 8e-8, CANARY: 8e-8, "torch_compile": 4e-7, "torch_unfused": 3e-7}
ERROR = 6e-8  # of other arms
FLOOR, FLOOR_SPEED = "floor/streaming", 0.4
ABSENT_FLOOR = "bytes are moved on a CPU, and this is a GPU"


@dataclass(frozen=True)
class Arms:
    """The samples of all arms of a cell, and of its floor."""

    cell: ThroughputCell
    samples: Mapping[str, tuple[TimedSample, ...]]
    baseline_failed: bool

    def log_ratios(self, name: str, other: str) -> list[float]:
        return statistics.log_ratios(self.samples, name, other)

    def interval(self, name: str, other: str) -> Interval:
        return statistics.interval(self.log_ratios(name, other), self.cell.alpha)


def cell(
    shape: Sequence[int] = SHAPES[0], *, dtype: str = "float32", **changed: Any
) -> ThroughputCell:
    """A throughput cell, with ``changed`` fields."""
    made = ThroughputCell(
        problem=Problem(tuple(shape), dtype=dtype, activation="relu"),
        phase=Phase.TRAINING_STEP,
        face="layer",
        outputs="fresh",
        cache="warm",
        device="cpu",
        threads=2,
        allocator="retaining",
        wait_policy="passive",
        seed=0,
        baseline=BASELINE,
        margin=0.03,
        alpha=0.05,
        protocol=Protocol(version=2, launches=8, blocks=BLOCKS, most_launches=16),
    )
    return replace(made, **changed)


def throughput(
    about: ThroughputCell,
    speeds: Mapping[str, float],
    *,
    session: str = "s1",
    noise: float = 0.01,
    seed: int = 0,
    launches: int = 8,
    environment: str = ENVIRONMENT,
    failed: Mapping[str, Status] | None = None,
    flagged: Sequence[str] = (),
    floor: bool = True,
) -> list[ThroughputRecord]:
    """The records of one cell whose arms take ``speeds`` times as long as the baseline, by its
    size.
    """
    failed = failed or {}
    arms = Arms(about, _samples(about, speeds, seed, noise, launches), BASELINE in failed)
    records = []
    for name in speeds:
        identity = Identity(name, about, "source", environment)
        if status := failed.get(name):
            records.append(
                ThroughputRecord(identity, session, TIME, status, reason=FAILURES[status])
            )
            continue
        made = ThroughputRecord(
            identity,
            session,
            TIME,
            Status.OK,
            figures=_figures(arms, name, floor=floor),
            samples=arms.samples[name],
            cost=replace(COST, compile_seconds=Seconds(4.0)) if name == "torch_compile" else COST,
        )
        records.append(disturbed(made) if name in flagged else made)
    return records


def disturbed(record: ThroughputRecord) -> ThroughputRecord:
    """The record with a flag, and so without a verdict."""
    return with_figures(replace(record, flags=(Flag.DISTURBED,)), verdict=None)


def with_figures(record: ThroughputRecord, **changed: Any) -> ThroughputRecord:
    """The record with other figures."""
    assert record.figures is not None
    return replace(record, figures=replace(record.figures, **changed))


def accuracy(about: ThroughputCell, error: float) -> Accuracy:
    """With this root mean square error of the weight's gradient, the worst quantity."""
    errors = {
        name: QuantityError(rms=rms, largest=5 * rms, ulp=5 * rms / 2**-23, scale=1.0)
        for name, rms in (("output", error / 10), ("grad_weight", error))
    }
    return Accuracy(about.problem.channels, errors)


def _samples(
    about: ThroughputCell, speeds: Mapping[str, float], seed: int, noise: float, launches: int
) -> dict[str, tuple[TimedSample, ...]]:
    """Of all arms and the floor; with a block in each launch that was disturbed, and is set
    aside.
    """
    random, apart = np.random.default_rng(seed), np.random.default_rng([seed, 1])
    unit = 2e-9 * float(np.prod(about.problem.shape))
    drawn: dict[str, list[TimedSample]] = {name: [] for name in (*speeds, FLOOR)}
    for launch in range(launches):
        offsets = {name: random.normal(0, noise) for name in speeds}
        for block in range(BLOCKS):
            state = random.normal(0, 0.2)
            for name, speed in speeds.items():
                logarithm = state + offsets[name] + random.normal(0, noise)
                seconds = unit * speed * float(np.exp(logarithm))
                drawn[name].append(_sample(launch, block, seconds))
            floor = unit * FLOOR_SPEED * float(np.exp(state + apart.normal(0, noise)))
            drawn[FLOOR].append(_sample(launch, block, floor))
        for samples in drawn.values():
            seconds = 9 * unit * float(apart.uniform())
            samples.append(_sample(launch, BLOCKS, seconds, set_aside=True))
    return {name: tuple(samples) for name, samples in drawn.items()}


def _sample(launch: int, block: int, seconds: float, *, set_aside: bool = False) -> TimedSample:
    """Four calls of so many seconds each."""
    return TimedSample(
        launch,
        block,
        calls=4,
        seconds=Seconds(4 * seconds),
        untimed=Seconds(seconds),
        waited=0.001,
        doubts=(Doubt.WAITING,) * set_aside,
        set_aside=set_aside,
    )


def _figures(arms: Arms, name: str, *, floor: bool) -> ThroughputFigures:
    figures = ThroughputFigures(
        median_seconds=statistics.median_seconds(arms.samples[name]),
        canary=_canary(arms),
        floor=_floor(arms, name) if floor else None,
        floor_absent=None if floor else ABSENT_FLOOR,
        clocks=(Interval(1.0, 0.99, 1.01),),
        memory=_memory(arms.cell, name),
        accuracy=accuracy(arms.cell, ERRORS.get(name, ERROR)),
        launches=8,
        blocks=BLOCKS,
        calls=4,
        stopped=StopReason.PRECISION,
        conditions=CONDITIONS,
        spent=SPENT,
    )
    if arms.baseline_failed:
        return replace(figures, ratio_absent=f"{BASELINE} is CRASHED here")
    if name == BASELINE:
        return replace(figures, ratio_absent="it is the baseline")
    ratios, alpha, margin = arms.log_ratios(name, BASELINE), arms.cell.alpha, arms.cell.margin
    interval = arms.interval(name, BASELINE)
    return replace(
        figures,
        ratio=interval,
        verdict=statistics.verdict(interval, margin),
        minimum_detectable_effect=statistics.minimum_detectable_effect(ratios, alpha, margin),
        p_value=statistics.decision_level(ratios, margin),
    )


def _canary(arms: Arms) -> Interval | None:
    if arms.baseline_failed or CANARY not in arms.samples:
        return None
    return arms.interval(CANARY, BASELINE)


def _floor(arms: Arms, name: str) -> Floor:
    by_launch = statistics.launch_seconds(arms.samples[FLOOR])
    return Floor(
        ratio=arms.interval(name, FLOOR),
        seconds=statistics.median_seconds(arms.samples[FLOOR]),
        bytes=Bytes(5 * _size(arms.cell)),
        stores="streaming",
        drift=max(by_launch) / min(by_launch),
        wander=1.1,
    )


def _memory(about: ThroughputCell, name: str) -> MemoryUse:
    size = _size(about)
    return MemoryUse(Bytes(size), None if name == "numpy" else Bytes(2 * size))


def _size(about: ThroughputCell) -> int:
    """Bytes of the input in float32."""
    return 4 * int(np.prod(about.problem.shape))
