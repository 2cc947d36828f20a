"""Two sessions held against each other: did anything become slower, or stop working?

Times of two sessions are never compared with each other, since the machine may have changed its pace between them: what
is compared is each arm's ratio to the baseline that was measured beside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from harness import statistics
from harness.journal import Contents
from harness.records import Flag, Interval, Record, Status, flat
from harness.report.views import CANARY, DOCUMENTED, describe, same_cell, told_as

REGRESSED, UNDECIDED = 1, 3  # exit statuses


class Outcome(StrEnum):
    """What a comparison of two records came to. The first four are the verdict on the ratio after / before."""

    FASTER = "FASTER"
    SLOWER = "SLOWER"
    SAME = "SAME"
    AMBIGUOUS = "AMBIGUOUS"
    BROKEN = "BROKEN"  # it was not failing before, or was OK and now refuses or deviates as documented
    MENDED = "MENDED"
    UNCHANGED = "UNCHANGED"  # the same status; nothing is timed
    ADDED = "ADDED"
    REMOVED = "REMOVED"


@dataclass(frozen=True)
class Comparison:
    """One implementation in one cell, before and after. ``ratio`` is of its ratios to the baseline, after / before."""

    task: str
    implementation: str
    cell: str
    outcome: Outcome
    ratio: Interval | None = None
    note: str = ""


Judgement = tuple[Outcome, Interval | None, str]


def compare(
    contents_a: Contents, session_a: str, contents_b: Contents, session_b: str, *, margin: float, alpha: float,
) -> list[Comparison]:
    """What changed from session a (before) to session b (after), in their order; records only in one come last.

    Cells are matched by what is measured, whatever the code, the machine and the number of launches. Raises ValueError
    for a session that its journal does not hold.
    """
    before, after = _records(contents_a, session_a), _records(contents_b, session_b)
    compared = []
    for key, old in before.items():
        new = after.get(key)
        if new is None:
            compared.append(Comparison(old.task, old.implementation, describe(old), Outcome.REMOVED))
        elif not (_is_baseline(old) and old.status is new.status is Status.OK):
            outcome, ratio, note = _by_status(old, new) or _by_time(
                [*new.flags, *old.flags], _log_ratios(contents_b, new), _log_ratios(contents_a, old), margin, alpha)
            compared.append(Comparison(new.task, new.implementation, describe(new), outcome, ratio, note))
    compared += [Comparison(new.task, new.implementation, describe(new), Outcome.ADDED)
                 for key, new in after.items() if key not in before]
    return compared


def environment_differences(
    contents_a: Contents, session_a: str, contents_b: Contents, session_b: str,
) -> dict[str, tuple[Any, Any]]:
    """The stable parts of the environment that differ: dotted name to values before and after, None where absent."""
    before, after = (flat(contents.sessions[session].get("environment", {}).get("stable", {}))
                     for contents, session in ((contents_a, session_a), (contents_b, session_b)))
    return {name: (before.get(name), after.get(name)) for name in sorted(before.keys() | after.keys())
            if before.get(name) != after.get(name)}


def exit_status(comparisons: Iterable[Comparison]) -> int:
    """1 where anything is slower or broken; 3 where nothing could be compared or something not decided; else 0."""
    outcomes = {comparison.outcome for comparison in comparisons}
    if outcomes & {Outcome.SLOWER, Outcome.BROKEN}:
        return REGRESSED
    nothing = not outcomes - {Outcome.ADDED, Outcome.REMOVED}
    return UNDECIDED if nothing or Outcome.AMBIGUOUS in outcomes else 0


def _records(contents: Contents, session: str) -> dict[tuple[str, str], Record]:
    """A session's records by cell and implementation."""
    if session not in contents.sessions:
        raise ValueError(f"the journal holds no session {session!r}; it holds {', '.join(contents.sessions) or 'none'}")
    return {(same_cell(record), record.implementation): record
            for record in contents.of_session(session) if record.implementation != CANARY}


def _is_baseline(record: Record) -> bool:
    return record.task == "throughput" and record.implementation == record.cell["baseline"]


def _by_status(old: Record, new: Record) -> Judgement | None:
    """What became of both says it; None where both are OK and times have to."""
    if new.task == "throughput" and old.status is new.status is Status.OK:
        return None
    before, after = told_as(old), told_as(new)
    if after == Status.OK:
        return (Outcome.UNCHANGED, None, "") if before == after else (Outcome.MENDED, None, f"{before} → {after}")
    newly_failed = new.failed and not old.failed
    if newly_failed or (before == Status.OK and after in {Status.UNSUPPORTED, DOCUMENTED}):
        outcome = Outcome.BROKEN
    else:
        undecided = Status.OK in {old.status, new.status} and before != after
        outcome = Outcome.AMBIGUOUS if undecided else Outcome.UNCHANGED
    return outcome, None, f"{before} → {after}: {new.reason or 'the comparison proves too little'}"


def _by_time(flags: list[Flag], after: list[float], before: list[float], margin: float, alpha: float) -> Judgement:
    if min(len(after), len(before)) < statistics.LEAST_LAUNCHES:
        return Outcome.AMBIGUOUS, None, "fewer than two launches beside the baseline"
    ratio = statistics.welch(after, before, alpha)
    if flags:
        return Outcome.AMBIGUOUS, ratio, f"no verdict: {', '.join(sorted(set(flags)))}"
    return Outcome(statistics.verdict(ratio, margin)), ratio, ""


def _log_ratios(contents: Contents, record: Record) -> list[float]:
    """The record's log-ratios to the baseline measured in the same session and cell; none where there is no such."""
    name, baseline = record.implementation, record.cell["baseline"]
    beside = [other for other in contents.history if other.session == record.session
              and other.identity.cell_key == record.identity.cell_key and other.implementation == baseline]
    return statistics.log_ratios({name: record.samples, baseline: beside[-1].samples}, name, baseline) if beside else []
