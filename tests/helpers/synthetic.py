"""Sessions made up from a seed, written through the real journal: what reports and comparisons are
tested on.

Throughput records are made in `synthetic_throughput`, trainings are varied in `trainings`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from harness.records import (
    AnyRecord,
    CaseCell,
    CaseFigures,
    CaseRecord,
    ComparedQuantity,
    Flag,
    Identity,
    Seconds,
    Status,
    TrainingCell,
    TrainingFigures,
    TrainingRecord,
    TrainingStep,
)
from harness.store import Contents, Failure, Journal, Plan, SessionStart
from implementations.interface import Phase
from tests.helpers.old_records import old
from tests.helpers.synthetic_session import BASELINE, ENVIRONMENT, FAILURES, MACHINE, TIME
from tests.helpers.synthetic_throughput import ABSENT_FLOOR, SHAPES, SPEEDS, cell, throughput

__all__ = [
    "ABSENT_FLOOR",
    "BASELINE",
    "ENVIRONMENT",
    "FAILURES",
    "SHAPES",
    "SPEEDS",
    "TIME",
    "case",
    "cell",
    "conformance",
    "convergence",
    "everything",
    "journal",
    "old",
    "throughput",
]

# Steps in which the loss falls by a factor of e.
PACE = {BASELINE: 45, "numpy": 45, "none": 85}
STEP_SECONDS = 1e-3
CONFIG = {
    "task": {"name": "all"},
    "baseline": BASELINE,
    "implementations": [*SPEEDS],
    "margin": 0.03,
}


def conformance(
    outcomes: Mapping[str, Mapping[str, Status]], session: str = "s1"
) -> list[CaseRecord]:
    """Records of cases: ``outcomes`` maps an implementation to the status of each case by name."""
    return [
        case(name, label, status, session=session)
        for name, cases in outcomes.items()
        for label, status in cases.items()
    ]


def case(
    implementation: str,
    name: str,
    status: Status = Status.OK,
    *,
    session: str = "s1",
    explanation: str | None = None,
    mistrusted: Sequence[str] = (),
    samples: Sequence[ComparedQuantity] = (),
    **about: Any,
) -> CaseRecord:
    """One record of conformance, with what its cell has beside or in place of the least."""
    figures = CaseFigures(0.25, "output", (0, 3, 2), 1.5, 4, tuple(mistrusted))
    about = {"device": "cpu", "threads": 2, **about}
    return CaseRecord(
        Identity(implementation, CaseCell(name, **about), "source", ENVIRONMENT),
        session,
        TIME,
        status,
        reason=FAILURES.get(status),
        explanation=explanation,
        flags=(Flag.MISTRUSTED,) if mistrusted else (),
        figures=figures if status is Status.OK else None,
        samples=tuple(samples),
    )


def convergence(
    arms: Iterable[str] = PACE,
    seeds: Sequence[int] = (0, 1, 2),
    *,
    steps: int = 200,
    target: float = 0.9,
    session: str = "s1",
    missing: Sequence[tuple[str, int]] = (),
    diverged: Sequence[tuple[str, int]] = (),
) -> list[TrainingRecord]:
    """Records of trainings; those in ``missing`` never reach the target, those in ``diverged``
    break off.
    """
    records = []
    for name in arms:
        for seed in seeds:
            end = steps // 4 if (name, seed) in diverged else steps
            best = target - 0.1 if (name, seed) in missing else 0.97
            curve = _curve(PACE.get(name, 60), seed, end, best)
            identity = Identity(name, _training_cell(steps, target, seed), "source", ENVIRONMENT)
            figures = _trained(curve, target, None if end == steps else end + 1)
            records.append(
                TrainingRecord(identity, session, TIME, Status.OK, figures=figures, samples=curve)
            )
    return records


def journal(
    folder: Path,
    records: Sequence[AnyRecord],
    *,
    session: str = "s1",
    missing: Sequence[str] = (),
    torn: bool = False,
    failure: str | None = None,
) -> Contents:
    """Append a session with these records to the journal in ``folder``, and read all of it. One
    with records of other sessions was resumed.
    """
    to = Journal(folder)
    command = ("bnbench", "run", "problem=resnet50", "implementations=[a,b]")
    to.begin(SessionStart(session, TIME, command, MACHINE, CONFIG))
    borrowed = [record for record in records if record.session != session]
    for record in borrowed:
        to.append(record)
    for task in dict.fromkeys(record.task for record in records):
        keys = (record.key for record in records if record.task == task)
        resumed = {"resume": True} if borrowed else {}
        config = {**CONFIG, "task": {"name": task}, **resumed}
        to.plan(Plan(session, f"job-{task}", task, config, (*keys, *missing)))
    for record in records:
        if record not in borrowed:
            to.append(record)
    if failure:
        to.fail(Failure(session, "1 device.threads=9", failure))
    if torn:
        with to.path.open("ab") as file:
            file.write(b'{"kind": "record", "ident')
    return to.read()


def everything(session: str = "s1") -> list[AnyRecord]:
    """A session in which all happens: both phases, failures, flags, absent ratios, misses and
    divergence.
    """
    cases = conformance(_outcomes_of_cases(), session)
    timed = [
        record
        for phase in (Phase.FORWARD_TRAINING, Phase.TRAINING_STEP)
        for number in range(len(SHAPES))
        for record in _eventful_cell(phase, number, session)
    ]
    misses, divergence = [("none", 1), ("none", 2)], [("numpy", 2)]
    return [*cases, *timed, *convergence(session=session, missing=misses, diverged=divergence)]


def _outcomes_of_cases() -> dict[str, dict[str, Status]]:
    groups = ("forward", "backward", "errors")
    return {
        BASELINE: {f"{group}/{number}": Status.OK for group in groups for number in range(9)},
        "numpy": {
            **{f"forward/{number}": Status.OK for number in range(9)},
            "forward/4": Status.WRONG,
            **{f"backward/{number}": Status.UNSUPPORTED for number in range(5)},
            "errors/0": Status.CRASHED,
        },
    }


def _eventful_cell(phase: Phase, number: int, session: str) -> list[AnyRecord]:
    """A cell with a failure, a flag, much noise or no floor, by its number."""
    failures = {2: {"numpy": Status.WRONG}, 4: {BASELINE: Status.CRASHED}}
    return [
        *throughput(
            cell(SHAPES[number], phase=phase),
            SPEEDS,
            session=session,
            seed=number,
            noise=0.05 if number > 6 else 0.01,
            failed=failures.get(number) if phase is Phase.TRAINING_STEP else None,
            flagged=["torch_unfused"] if number == 1 else [],
            floor=number != 3,
        )
    ]


def _training_cell(steps: int, target: float, seed: int) -> TrainingCell:
    return TrainingCell(
        dataset="digits",
        model="mlp",
        optimizer="sgd",
        learning_rate=0.1,
        batch=64,
        steps=steps,
        evaluate_every=10,
        target=target,
        seed=seed,
        device="cpu",
        threads=2,
        baseline=BASELINE,
    )


def _curve(pace: int, seed: int, steps: int, best: float) -> tuple[TrainingStep, ...]:
    random = np.random.default_rng(seed)
    rate = pace * (1 + 0.15 * seed)
    return tuple(
        TrainingStep(
            step,
            loss=float(2.3 * np.exp(-step / rate) + 0.05 * random.uniform(0.5, 1.5)),
            seconds=Seconds(STEP_SECONDS),
            accuracy=float(best - 0.87 * np.exp(-2 * step / rate)) if step % 10 == 0 else None,
        )
        for step in range(1, steps + 1)
    )


def _trained(curve: Sequence[TrainingStep], target: float, diverged: int | None) -> TrainingFigures:
    reached = next((point.step for point in curve if (point.accuracy or 0) >= target), None)
    return TrainingFigures(
        steps_to_target=reached,
        seconds_to_target=None if reached is None else Seconds(reached * STEP_SECONDS),
        seconds_per_step=Seconds(STEP_SECONDS),
        first_step_seconds=Seconds(2 * STEP_SECONDS),
        final_loss=curve[-1].loss,
        final_accuracy=None if diverged else 0.95,
        best_validation_accuracy=0.96,
        diverged_at=diverged,
    )
