"""What a replay can come to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """Of times: the same, the direction in which they changed, or undecided. Of all else: the same,
    different, or undecided.
    """

    SAME = "SAME"
    DIFFERENT = "DIFFERENT"
    FASTER = "FASTER"
    SLOWER = "SLOWER"
    AMBIGUOUS = "AMBIGUOUS"


@dataclass(frozen=True)
class ReplayVerdict:
    """An outcome, and a note with what was compared or what differs."""

    outcome: Outcome
    note: str
