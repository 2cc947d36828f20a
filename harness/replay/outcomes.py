"""What a replay can come to."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """Times are the same, or say in which direction they went; all else is the same, or
    different.
    """

    SAME = "SAME"
    DIFFERENT = "DIFFERENT"
    FASTER = "FASTER"
    SLOWER = "SLOWER"
    AMBIGUOUS = "AMBIGUOUS"
