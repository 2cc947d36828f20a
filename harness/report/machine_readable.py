"""What commands say with ``--json``: one document on standard output, whose form has a version.

Schema history. 1: ``schema``, ``command``, ``status`` (the exit status), and what the command
found, documented in GATING.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.changes import Change
from harness.analysis.outcomes import RecordOutcome, outcome_label
from harness.analysis.session_comparison import Comparison
from harness.analysis.stored_benchmarks import StoredComparison
from harness.records import CaseRecord, Cell, ExitStatus, Interval, Plain, to_plain
from harness.replay.outcomes import Outcome
from harness.replay.verdicts import Replay
from harness.report.terminal.comparison import explain

SCHEMA = 1


def document(command: str, status: ExitStatus, found: Mapping[str, object]) -> dict[str, Plain]:
    """``found`` may hold dataclasses."""
    begun: dict[str, Plain] = {"schema": SCHEMA, "command": command, "status": int(status)}
    return begun | {key: to_plain(value) for key, value in found.items()}


@dataclass(frozen=True)
class ComparedArm:
    """One implementation in one cell of two sessions, as `Comparison` has it."""

    implementation: str
    task: str
    cell: Cell
    change: Change
    ratio: Interval | None
    p_value: float | None
    explanation: str | None


def compare_document(
    status: ExitStatus,
    comparisons: Iterable[Comparison],
    sessions: Mapping[str, str],
    differences: Mapping[str, tuple[object, object]],
    doubts: Sequence[str],
) -> dict[str, Plain]:
    """``sessions`` are before and after; ``differences`` of environments and arms by name."""
    arms = [
        ComparedArm(
            found.implementation,
            found.record.task,
            found.record.cell,
            found.change,
            found.ratio,
            found.p_value,
            explain(found.explanation) or None,
        )
        for found in comparisons
    ]
    changed = {name: [str(old), str(new)] for name, (old, new) in differences.items()}
    found = {"comparisons": arms, "differences": changed, "doubts": list(doubts)}
    return document("compare", status, {**sessions, **found})


def stored_document(found: StoredComparison) -> dict[str, Plain]:
    """Of two files of pytest-benchmark's, which decide nothing."""
    tests = {
        test.name: {"before": test.before, "after": test.after, "ratio": test.ratio}
        for test in found.tests
    }
    changed = {name: [str(old), str(new)] for name, (old, new) in found.differences.items()}
    return document("compare", ExitStatus.UNDECIDED, {"tests": tests, "differences": changed})


@dataclass(frozen=True)
class ReplayedRecord:
    """A record's key, and what became of it when it was made again."""

    key: str
    implementation: str
    task: str
    cell: Cell
    outcome: Outcome
    note: str
    differences: Mapping[str, list[str]]


def replay_document(
    status: ExitStatus, replays: Iterable[Replay], doubts: Sequence[str]
) -> dict[str, Plain]:
    replayed = [
        ReplayedRecord(
            replay.original.record.key,
            replay.original.record.implementation,
            replay.original.record.task,
            replay.original.record.cell,
            replay.outcome,
            replay.note,
            {name: [str(old), str(new)] for name, (old, new) in replay.differences.items()},
        )
        for replay in replays
    ]
    return document("replay", status, {"replays": replayed, "doubts": list(doubts)})


@dataclass(frozen=True)
class CheckedCase:
    """``worst`` is the largest error as a share of its tolerance, of a case that passed; ``asked``
    what was asked in the place of a case that was refused; ``declared`` the reason of a deviation
    that the author declares.
    """

    implementation: str
    case: str
    outcome: RecordOutcome
    reason: str | None
    worst: float | None
    asked: str | None
    declared: str | None


def check_document(
    status: ExitStatus, session: str, records: Iterable[CaseRecord], doubts: Sequence[str]
) -> dict[str, Plain]:
    cases = [
        CheckedCase(
            record.implementation,
            record.cell.case,
            outcome_label(record),
            record.reason,
            None if record.figures is None else record.figures.worst,
            None if record.figures is None else record.figures.asked,
            record.explanation,
        )
        for record in records
    ]
    return document("check", status, {"session": session, "cases": cases, "doubts": list(doubts)})


def to_text(made: Mapping[str, Plain]) -> str:
    return json.dumps(made, indent=2, allow_nan=False, ensure_ascii=False) + "\n"
