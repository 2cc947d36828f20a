"""What travels between a worker that trains and its parent."""

from __future__ import annotations

from dataclasses import dataclass

from harness.records import Cost, Status, TrainingFigures, TrainingStep


@dataclass(frozen=True)
class StepProgress:
    """How far a training is: ``step`` of ``steps``."""

    step: int
    steps: int


@dataclass(frozen=True)
class TrainingOutcome:
    """What became of a training: figures and steps where the status is OK, else the reason."""

    status: Status
    reason: str | None = None
    figures: TrainingFigures | None = None
    samples: tuple[TrainingStep, ...] = ()
    cost: Cost = Cost()
