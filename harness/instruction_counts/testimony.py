"""Base and head by their counts, and whether that agrees with what time says of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from harness.instruction_counts.calls import CountOutcome, Counts
from harness.records import Verdict

# The same code in the same place gave the same count, mostly to the last instruction. Under another
# name of its folder it did not: 0.07 % at most of a whole call from Python, 0.01 % of a kernel,
# since Python looks things up by where they lie in memory. Three times that is far below what time
# could find.
MORE_INSTRUCTIONS = 0.002
# Two processes differed by up to 200, which is more than that share of a small call.
LEAST_INSTRUCTIONS = 600
# Where arrays lie in memory decides which lines of the model's caches they share. The same code
# under another folder's name differed by 0.1 %, and small calls, which fetch little, by 24 lines.
MORE_LINES = 0.02
LEAST_LINES = 256  # 16 KiB


class Direction(StrEnum):
    """Which way head's counts went; MIXED where instructions and lines went opposite ways."""

    MORE = "MORE"
    FEWER = "FEWER"
    SAME = "SAME"
    MIXED = "MIXED"


class Agreement(StrEnum):
    """Whether counts say what time says.

    SILENT: a side was not counted. UNDECIDED: time has no verdict, or the counts point both ways.
    """

    AGREES = "AGREES"
    DISAGREES = "DISAGREES"
    UNDECIDED = "UNDECIDED"
    SILENT = "SILENT"


@dataclass(frozen=True)
class CountChange:
    """Head over base. ``line_ratio`` is None where base fetches no line; ``instructions`` and
    ``lines`` are which way each went, beyond what counts of the same work differ by.
    """

    instruction_ratio: float
    line_ratio: float | None
    instructions: Direction
    lines: Direction

    @property
    def direction(self) -> Direction:
        moved = {self.instructions, self.lines} - {Direction.SAME}
        return Direction.MIXED if len(moved) == 2 else moved.pop() if moved else Direction.SAME

    @property
    def largest(self) -> float:
        """The larger of both relative changes, as a share."""
        lines = 1.0 if self.line_ratio is None else self.line_ratio
        return max(abs(self.instruction_ratio - 1), abs(lines - 1))


@dataclass(frozen=True)
class Testimony:
    """What counts say of one call, beside time's ``verdict``; ``change`` is None where a side was
    not counted.
    """

    base: CountOutcome
    head: CountOutcome
    change: CountChange | None
    verdict: Verdict | None
    agreement: Agreement


def compare_counts(
    base: CountOutcome, head: CountOutcome, verdict: Verdict | None, margin: float
) -> Testimony:
    """``verdict`` is time's of head over base, None where it has none; ``margin`` its own."""
    if base.counts is None or head.counts is None:
        return Testimony(base, head, None, verdict, Agreement.SILENT)
    change = change_of_counts(base.counts, head.counts)
    return Testimony(base, head, change, verdict, _agreement(change, verdict, margin))


def change_of_counts(base: Counts, head: Counts) -> CountChange:
    more = max(base.instructions * MORE_INSTRUCTIONS, LEAST_INSTRUCTIONS)
    return CountChange(
        head.instructions / base.instructions,
        head.lines / base.lines if base.lines else None,
        _direction(head.instructions - base.instructions, more),
        _direction(head.lines - base.lines, max(base.lines * MORE_LINES, LEAST_LINES)),
    )


def _direction(difference: int, beyond: float) -> Direction:
    if abs(difference) <= beyond:
        return Direction.SAME
    return Direction.MORE if difference > 0 else Direction.FEWER


def _agreement(change: CountChange, verdict: Verdict | None, margin: float) -> Agreement:
    """SAME is said within a margin, so what counts more or less within it agrees."""
    if change.direction is Direction.MIXED:
        return Agreement.UNDECIDED
    match verdict:
        case None | Verdict.AMBIGUOUS:
            return Agreement.UNDECIDED
        case Verdict.SLOWER:
            agrees = change.direction is Direction.MORE
        case Verdict.FASTER:
            agrees = change.direction is Direction.FEWER
        case Verdict.SAME:
            agrees = change.direction is Direction.SAME or change.largest <= margin
        case _:
            assert_never(verdict)
    return Agreement.AGREES if agrees else Agreement.DISAGREES
