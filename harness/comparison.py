"""Two sessions held against each other: did anything become slower, or stop working?

Times of two sessions are never compared with each other, since the machine may have changed its
pace between them: what is compared is each arm's ratio to the baseline that was measured beside it.
FASTER and SLOWER are Holm's, over all that is compared, so that a hundred cells raise no more false
alarms than one; SAME is no alarm, and keeps the level of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from harness import statistics
from harness.records import CANARY, Interval, Record, Status, differing
from harness.report.views import DOCUMENTED, describe, same_cell, told_as
from harness.store import Contents

REGRESSED, UNDECIDED = 1, 3  # exit statuses


class Outcome(StrEnum):
    """What a comparison of two records came to. The first four are the verdict on the ratio after /
    before.
    """

    FASTER = "FASTER"
    SLOWER = "SLOWER"
    SAME = "SAME"
    AMBIGUOUS = "AMBIGUOUS"
    # it was not failing before, or was OK and now refuses or deviates as documented
    BROKEN = "BROKEN"
    MENDED = "MENDED"
    UNCHANGED = "UNCHANGED"  # the same status; nothing is timed
    ADDED = "ADDED"
    REMOVED = "REMOVED"


ALARMS = (Outcome.FASTER, Outcome.SLOWER)


@dataclass(frozen=True)
class Comparison:
    """One implementation in one cell, before and after. ``ratio`` is of its ratios to the baseline,
    after / before.
    """

    task: str
    implementation: str
    cell: str
    outcome: Outcome
    ratio: Interval | None = None
    note: str = ""


@dataclass(frozen=True)
class Judgement:
    """``level`` is the p-value of FASTER or SLOWER, where times decided."""

    outcome: Outcome
    ratio: Interval | None = None
    note: str = ""
    level: float | None = None


def compare(
    contents_a: Contents,
    session_a: str,
    contents_b: Contents,
    session_b: str,
    *,
    margin: float,
    alpha: float,
) -> list[Comparison]:
    """What changed from session a (before) to session b (after), in their order; records only in
    one come last.

    Cells are matched by what is measured, whatever the code, the machine and the number of
    launches. Raises ValueError for a session that its journal does not hold.
    """
    before, after = _records(contents_a, session_a), _records(contents_b, session_b)
    judged: list[tuple[Record, Judgement]] = []
    for key, old in before.items():
        new = after.get(key)
        if new is None:
            judged.append((old, Judgement(Outcome.REMOVED)))
        elif not (_is_baseline(old) and old.status is new.status is Status.OK):
            judged.append(
                (
                    new,
                    _by_status(old, new)
                    or _by_time(
                        (new, old),
                        (_log_ratios(contents_b, new), _log_ratios(contents_a, old)),
                        margin,
                        alpha,
                    ),
                )
            )
    judged += [(new, Judgement(Outcome.ADDED)) for key, new in after.items() if key not in before]
    return [
        Comparison(
            record.task,
            record.implementation,
            describe(record),
            found.outcome,
            found.ratio,
            found.note,
        )
        for record, found in _corrected(judged, alpha)
    ]


def environment_differences(
    contents_a: Contents,
    session_a: str,
    contents_b: Contents,
    session_b: str,
) -> dict[str, tuple[Any, Any]]:
    """The stable parts of the environment that differ: dotted name to values before and after, None
    where absent.
    """
    before, after = (
        contents.sessions[session].get("environment", {}).get("stable", {})
        for contents, session in ((contents_a, session_a), (contents_b, session_b))
    )
    return differing(before, after)


def exit_status(comparisons: Iterable[Comparison]) -> int:
    """1 where anything is slower or broken; 3 where nothing could be compared or something not
    decided; else 0.
    """
    outcomes = {comparison.outcome for comparison in comparisons}
    if outcomes & {Outcome.SLOWER, Outcome.BROKEN}:
        return REGRESSED
    nothing = not outcomes - {Outcome.ADDED, Outcome.REMOVED}
    return UNDECIDED if nothing or Outcome.AMBIGUOUS in outcomes else 0


def _records(contents: Contents, session: str) -> dict[tuple[str, str], Record]:
    """A session's records by cell and implementation."""
    if session not in contents.sessions:
        raise ValueError(
            f"the journal holds no session {session!r}; it holds "
            f"{', '.join(contents.sessions) or 'none'}"
        )
    return {
        (same_cell(record), record.implementation): record
        for record in contents.of_session(session)
        if record.implementation != CANARY
    }


def _is_baseline(record: Record) -> bool:
    return record.task == "throughput" and record.implementation == record.cell["baseline"]


def _corrected(
    judged: list[tuple[Record, Judgement]], alpha: float
) -> list[tuple[Record, Judgement]]:
    """With AMBIGUOUS for each FASTER or SLOWER that does not stand among so many."""
    stands = iter(
        statistics.holm([found.level for _, found in judged if found.level is not None], alpha)
    )
    return [
        (
            record,
            found
            if found.level is None or next(stands) or found.outcome not in ALARMS
            else replace(found, outcome=Outcome.AMBIGUOUS, note=f"{found.outcome} before Holm"),
        )
        for record, found in judged
    ]


def _by_status(old: Record, new: Record) -> Judgement | None:
    """What became of both says it; None where both are OK and times have to."""
    if new.task == "throughput" and old.status is new.status is Status.OK:
        return None
    before, after = told_as(old), told_as(new)
    if after == Status.OK:
        return (
            Judgement(Outcome.UNCHANGED)
            if before == after
            else Judgement(Outcome.MENDED, note=f"{before} → {after}")
        )
    newly_failed = new.failed and not old.failed
    if newly_failed or (before == Status.OK and after in {Status.UNSUPPORTED, DOCUMENTED}):
        outcome = Outcome.BROKEN
    else:
        undecided = Status.OK in {old.status, new.status} and before != after
        outcome = Outcome.AMBIGUOUS if undecided else Outcome.UNCHANGED
    return Judgement(
        outcome, note=f"{before} → {after}: {new.reason or 'the comparison proves too little'}"
    )


def _by_time(
    records: tuple[Record, Record],
    log_ratios: tuple[list[float], list[float]],
    margin: float,
    alpha: float,
) -> Judgement:
    """After and before. Each session's launches came in two stages, of which the first decided on
    the second.
    """
    if min(map(len, log_ratios)) < statistics.LEAST_LAUNCHES:
        return Judgement(Outcome.AMBIGUOUS, note="fewer than two launches beside the baseline")
    pilots = (records[0].cell["protocol"]["launches"], records[1].cell["protocol"]["launches"])
    ratio = statistics.welch(*log_ratios, alpha, pilots)
    if flags := {flag for record in records for flag in record.flags}:
        return Judgement(Outcome.AMBIGUOUS, ratio, f"no verdict: {', '.join(sorted(flags))}")
    level = statistics.difference_level(*log_ratios, margin, pilots)
    return Judgement(Outcome(statistics.verdict(ratio, margin)), ratio, level=level)


def _log_ratios(contents: Contents, record: Record) -> list[float]:
    """The record's log-ratios to the baseline measured in the same session and cell; none where
    there is no such.
    """
    name, baseline = record.implementation, record.cell["baseline"]
    beside = [
        other
        for other in contents.history
        if other.session == record.session
        and other.identity.cell_key == record.identity.cell_key
        and other.implementation == baseline
    ]
    return (
        statistics.log_ratios({name: record.samples, baseline: beside[-1].samples}, name, baseline)
        if beside
        else []
    )
