"""What a comparison of two sessions' records can come to."""

from __future__ import annotations

from enum import StrEnum
from typing import assert_never

from harness.records import Verdict


class Change(StrEnum):
    """What a comparison of two records came to. The first four are the verdict on the ratio after /
    before.
    """

    FASTER = "FASTER"
    SLOWER = "SLOWER"
    SAME = "SAME"
    AMBIGUOUS = "AMBIGUOUS"
    # it was not failing before, or was OK and now refuses or deviates as declared
    BROKEN = "BROKEN"
    MENDED = "MENDED"
    UNCHANGED = "UNCHANGED"  # the same status; nothing is timed
    ADDED = "ADDED"
    REMOVED = "REMOVED"


def change_of(verdict: Verdict) -> Change:
    """The type checker asks here for the change of each new verdict."""
    match verdict:
        case Verdict.FASTER:
            return Change.FASTER
        case Verdict.SLOWER:
            return Change.SLOWER
        case Verdict.SAME:
            return Change.SAME
        case Verdict.AMBIGUOUS:
            return Change.AMBIGUOUS
        case _:
            assert_never(verdict)
