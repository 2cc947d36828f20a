"""What a gate found: two trees, each implementation in each cell from one to the other, and the
whole.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.analysis.gate_counts import GateCount
from harness.analysis.gate_outcomes import GateOutcome, GateVerdict
from harness.records import Interval, Seconds, StopReason, ThroughputCell

SHOWN = 5  # changed files, of a working tree


@dataclass(frozen=True)
class GateTree:
    """A tree of files: ``name`` as the user gave it, git's hashes of it and of the ``commit`` that
    it is of or was begun from. ``changes`` are the files in which it differs from that.
    """

    name: str
    commit: str
    tree: str
    changes: tuple[str, ...] = ()

    @property
    def described(self) -> str:
        words = f"{self.name} (commit {self.commit[:10]}"
        if not self.changes:
            return f"{words})"
        more = len(self.changes) - SHOWN
        names = ", ".join([*self.changes[:SHOWN], *([f"{more} more"] if more > 0 else [])])
        return f"{words} with changes in {names})"


@dataclass(frozen=True)
class GatePair:
    """One implementation, and the names of its arms; None on the side that lacks it."""

    implementation: str
    base: str | None
    head: str | None


@dataclass(frozen=True)
class GateCell:
    """One implementation in one cell, or of a gate of a suite one ``test`` of a file. ``cell`` is
    None where head lacks the implementation, and nothing was measured, and of a test.

    ``ratio`` is of times, head / base; ``reason`` why there is no verdict on it, or why an arm is
    not OK. ``doubtful`` says that a flag forbids a verdict. ``log_ratios`` are of head over
    base, and ``canary`` of base over itself, one a launch.
    """

    implementation: str
    cell: ThroughputCell | None
    outcome: GateOutcome
    reason: str | None = None
    ratio: Interval | None = None
    p_value: float | None = None
    minimum_detectable_effect: float | None = None
    base_seconds: Seconds | None = None
    head_seconds: Seconds | None = None
    launches: int = 0
    stopped: StopReason = StopReason.UNKNOWN
    doubtful: bool = False
    log_ratios: tuple[float, ...] = ()
    canary: tuple[float, ...] = ()
    test: str | None = None

    @property
    def is_undecided(self) -> bool:
        """Whether a slow-down beyond the margin cannot be ruled out. An interval that reaches
        beyond it on the faster side alone is no SAME, and no regression either.
        """
        if self.outcome is not GateOutcome.AMBIGUOUS:
            return False
        if self.ratio is None or self.cell is None or self.doubtful:
            return True
        return self.ratio.high > 1 + self.cell.margin


@dataclass(frozen=True)
class GateFacts:
    """``alarms`` is the share of gates of two equal trees that may raise an alarm, ``incomplete``
    says what the session lacks. ``counts`` are of instructions, where they were asked for; they
    change no verdict.
    """

    session: str
    base: GateTree
    head: GateTree
    cells: tuple[GateCell, ...]
    alarms: float
    margin: float
    seconds: float
    incomplete: tuple[str, ...] = ()
    counts: tuple[GateCount, ...] = ()

    @property
    def verdict(self) -> GateVerdict:
        if any(cell.outcome.is_regression for cell in self.cells):
            return GateVerdict.REGRESSION
        judged = [cell for cell in self.cells if cell.outcome is not GateOutcome.UNSUPPORTED]
        undecided = any(cell.is_undecided for cell in judged)
        return (
            GateVerdict.UNDECIDED
            if undecided or not judged or self.incomplete
            else GateVerdict.PASSED
        )

    @property
    def same_tree(self) -> bool:
        return self.base.tree == self.head.tree
