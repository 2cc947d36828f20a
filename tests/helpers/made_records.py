"""Records of each task, made up for tests: one that is OK, unless a status is given."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.records import (
    Bytes,
    CaseCell,
    CaseFigures,
    CaseRecord,
    Floor,
    Identity,
    Interval,
    Seconds,
    Status,
    StopReason,
    ThroughputCell,
    ThroughputFigures,
    ThroughputRecord,
    TrainingCell,
    TrainingFigures,
    TrainingRecord,
    TrainingStep,
    Verdict,
)
from implementations.interface import Problem
from tests.helpers.records import CELL

TIME = "2026-11-23T01:02:03+00:00"
THROUGHPUT_CELL = replace(CELL, problem=Problem((32, 64, 56, 56), residual=True), threads=2)
THROUGHPUT_FIGURES = ThroughputFigures(
    median_seconds=Seconds(0.5),
    ratio=Interval(0.8, 0.7, 0.9),
    verdict=Verdict.FASTER,
    stopped=StopReason.BUDGET,
)
TRAINING_CELL = TrainingCell(
    dataset="digits",
    model="mlp",
    optimizer="sgd",
    learning_rate=0.5,
    batch=64,
    steps=300,
    evaluate_every=5,
    target=0.9,
    seed=0,
    device="cpu",
    threads=2,
    baseline="torch_native",
)
TRAINING_FIGURES = TrainingFigures(
    steps_to_target=None,
    seconds_to_target=None,
    seconds_per_step=None,
    first_step_seconds=None,
    final_loss=1.0,
    final_accuracy=0.9,
    best_validation_accuracy=0.9,
    diverged_at=None,
    data_sha256="d" * 64,
    initial_sha256="i" * 64,
    losses_sha256="l" * 64,
    parameters_sha256="p" * 64,
    instruction_set="AVX2",
)


def throughput_record(
    implementation: str = "numpy",
    status: Status = Status.OK,
    *,
    cell: ThroughputCell = THROUGHPUT_CELL,
    figures: ThroughputFigures = THROUGHPUT_FIGURES,
    **fields: Any,
) -> ThroughputRecord:
    ok = status is Status.OK
    return ThroughputRecord(
        Identity(implementation, cell, "source", "here"),
        session=fields.pop("session", "session-1"),
        time=TIME,
        status=status,
        reason=fields.pop("reason", None if ok else f"it was {status}"),
        figures=figures if ok else None,
        **fields,
    )


def speed_record(ratio: Interval, implementation: str = "numpy", **fields: Any) -> ThroughputRecord:
    """With this ratio to the baseline or, of the baseline, to the floor."""
    if implementation == THROUGHPUT_CELL.baseline:
        floor = Floor(ratio, Seconds(0.1), bytes=Bytes(0), stores="ordinary", drift=1.0, wander=1.0)
        figures = replace(THROUGHPUT_FIGURES, ratio=None, verdict=None, floor=floor)
    else:
        figures = replace(THROUGHPUT_FIGURES, ratio=ratio)
    return throughput_record(implementation, figures=figures, **fields)


def training_record(
    losses: tuple[float, ...] = (2.0, 1.0),
    accuracy: float | None = 0.9,
    *,
    seed: int = 0,
    status: Status = Status.OK,
    session: str = "session-1",
    reason: str = "it fell over",
    **figures: Any,
) -> TrainingRecord:
    """``figures`` take the place of those in `TRAINING_FIGURES`."""
    ok = status is Status.OK
    own = replace(TRAINING_FIGURES, final_accuracy=accuracy, **figures)
    return TrainingRecord(
        Identity("numpy", replace(TRAINING_CELL, seed=seed), "source", "here"),
        session=session,
        time=TIME,
        status=status,
        reason=None if ok else reason,
        figures=own if ok else None,
        samples=tuple(TrainingStep(step, loss, None) for step, loss in enumerate(losses, 1)),
    )


def case_record(case: str = "data/nan", status: Status = Status.OK, **fields: Any) -> CaseRecord:
    figures = CaseFigures(0.25, "output", (0, 3), ulp=None, comparisons=1)
    ok = status is Status.OK
    return CaseRecord(
        Identity("numpy", CaseCell(case, "cpu", 1), "source", "here"),
        session="session-1",
        time=TIME,
        status=status,
        reason=fields.pop("reason", None if ok else f"it was {status}"),
        figures=fields.pop("figures", figures if ok else None),
        **fields,
    )
