"""What travels between a worker that checks cases and its parent."""

from __future__ import annotations

from dataclasses import dataclass

from harness.records import CaseFigures, ComparedQuantity, Status


@dataclass(frozen=True)
class CaseOutcome:
    """What became of a case: figures where the status is OK, else the reason; what was compared;
    and what explains a WRONG that the implementation's author declares.
    """

    status: Status
    reason: str | None = None
    figures: CaseFigures | None = None
    samples: tuple[ComparedQuantity, ...] = ()
    explanation: str | None = None
