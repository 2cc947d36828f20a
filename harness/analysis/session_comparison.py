"""Two sessions held against each other: did anything become slower, or stop working?

Times of two sessions are never compared with each other, since the machine may have changed its
pace between them: what is compared is each arm's ratio to the baseline that was measured beside it.
FASTER and SLOWER are Holm's, over all that is compared, so that a hundred cells raise no more false
alarms than one; SAME is no alarm, and keeps the level of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeGuard

from harness import statistics
from harness.analysis.changes import Change, change_of
from harness.analysis.completeness import Completeness
from harness.analysis.matching import matching_key
from harness.analysis.moderation import compared_launches
from harness.analysis.outcomes import Qualified, RecordOutcome, outcome_label
from harness.records import (
    CANARY,
    AnyRecord,
    ExitStatus,
    Flag,
    Interval,
    Status,
    ThroughputRecord,
    differing,
)
from harness.statistics import VariancePrior
from harness.store import Contents

ALARMS = (Change.FASTER, Change.SLOWER)


@dataclass(frozen=True)
class OutcomeChange:
    """What became of the record before and after; ``reason`` is the later record's."""

    before: RecordOutcome
    after: RecordOutcome
    reason: str | None


@dataclass(frozen=True)
class AlarmWithdrawn:
    """An alarm that does not stand among so many comparisons."""

    change: Change


@dataclass(frozen=True)
class ForbiddenByFlags:
    """Flags of either record, which forbid a verdict."""

    flags: tuple[Flag, ...]


@dataclass(frozen=True)
class TooFewLaunches:
    """Fewer than two launches are paired with the baseline's, before or after."""


Explanation: TypeAlias = OutcomeChange | AlarmWithdrawn | ForbiddenByFlags | TooFewLaunches


@dataclass(frozen=True)
class Comparison:
    """One implementation in one cell, before and after.

    ``record`` is the later one, unless the cell was REMOVED. ``ratio`` is of its ratios to the
    baseline, after / before, and ``p_value`` of FASTER or SLOWER, where times decided.
    """

    record: AnyRecord
    change: Change
    ratio: Interval | None = None
    explanation: Explanation | None = None
    p_value: float | None = None

    @property
    def implementation(self) -> str:
        return self.record.implementation


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
    priors_a, priors_b = _priors(contents_a, session_a), _priors(contents_b, session_b)
    found: list[Comparison] = []
    for key, old in before.items():
        new = after.get(key)
        if new is None:
            found.append(Comparison(old, Change.REMOVED))
        elif not _is_timed(old) or not _is_timed(new):
            found.append(_by_status(old, new))
        elif new.implementation != new.cell.baseline:
            log_ratios = _log_ratios(contents_b, new), _log_ratios(contents_a, old)
            priors = priors_b.get(new.key), priors_a.get(old.key)
            found.append(_by_time((new, old), log_ratios, priors, margin, alpha))
    found += [Comparison(new, Change.ADDED) for key, new in after.items() if key not in before]
    return correct(found, alpha)


def correct(comparisons: list[Comparison], alpha: float) -> list[Comparison]:
    """With AMBIGUOUS for each FASTER or SLOWER that does not stand among so many."""
    p_values = [found.p_value for found in comparisons if found.p_value is not None]
    stands = iter(statistics.holm(p_values, alpha))
    return [
        found
        if found.p_value is None or next(stands) or found.change not in ALARMS
        else replace(found, change=Change.AMBIGUOUS, explanation=AlarmWithdrawn(found.change))
        for found in comparisons
    ]


def environment_differences(
    contents_a: Contents, session_a: str, contents_b: Contents, session_b: str
) -> dict[str, tuple[object, object]]:
    """The stable parts of the environment that differ: dotted name to values before and after, None
    where absent.
    """
    before, after = contents_a.sessions[session_a], contents_b.sessions[session_b]
    return differing(before.environment.stable, after.environment.stable)


def exit_status(
    comparisons: Iterable[Comparison], sessions: Iterable[Completeness] = ()
) -> ExitStatus:
    """FAILED where anything is slower or broken; UNDECIDED where one of the ``sessions`` is not
    complete, nothing could be compared or something not decided; else OK.
    """
    changes = {comparison.change for comparison in comparisons}
    if changes & {Change.SLOWER, Change.BROKEN}:
        return ExitStatus.FAILED
    nothing = not changes - {Change.ADDED, Change.REMOVED}
    complete = all(session.complete for session in sessions)
    undecided = nothing or not complete or Change.AMBIGUOUS in changes
    return ExitStatus.UNDECIDED if undecided else ExitStatus.OK


def _records(contents: Contents, session: str) -> dict[tuple[str, str], AnyRecord]:
    """A session's records by cell and implementation."""
    if session not in contents.sessions:
        raise ValueError(
            f"the journal holds no session {session!r}; it holds "
            f"{', '.join(contents.sessions) or 'none'}"
        )
    return {
        (matching_key(record), record.implementation): record
        for record in contents.of_session(session)
        if record.implementation != CANARY
    }


def _priors(contents: Contents, session: str) -> dict[str, VariancePrior | None]:
    """By key, what the session's other cells let expect of a record's variance."""
    compared = compared_launches(contents.of_session(session))
    return {key: one.prior for key, one in compared.items()}


def _is_timed(record: AnyRecord) -> TypeGuard[ThroughputRecord]:
    return isinstance(record, ThroughputRecord) and record.status is Status.OK


def _by_status(old: AnyRecord, new: AnyRecord) -> Comparison:
    """What became of both decides, where times cannot."""
    before, after = outcome_label(old), outcome_label(new)
    explanation = OutcomeChange(before, after, new.reason)
    if before == after == Status.OK:
        return Comparison(new, Change.UNCHANGED)
    if after == Status.OK:
        return Comparison(new, Change.MENDED, explanation=explanation)
    newly_failed = new.failed and not old.failed
    if newly_failed or (before == Status.OK and after in {Status.UNSUPPORTED, Qualified.DECLARED}):
        return Comparison(new, Change.BROKEN, explanation=explanation)
    undecided = Status.OK in {old.status, new.status} and before != after
    change = Change.AMBIGUOUS if undecided else Change.UNCHANGED
    return Comparison(new, change, explanation=explanation)


def _by_time(
    records: tuple[ThroughputRecord, ThroughputRecord],
    log_ratios: tuple[list[float], list[float]],
    priors: tuple[VariancePrior | None, VariancePrior | None],
    margin: float,
    alpha: float,
) -> Comparison:
    """After and before. Each session's launches came in two stages, of which the first decided on
    the second, and each session's variances are moderated over its own cells.
    """
    new, old = records
    if min(map(len, log_ratios)) < statistics.LEAST_LAUNCHES:
        return Comparison(new, Change.AMBIGUOUS, explanation=TooFewLaunches())
    pilots = new.cell.protocol.launches, old.cell.protocol.launches
    ratio = statistics.welch(*log_ratios, alpha, pilots, priors)
    if flags := {*new.flags, *old.flags}:
        return Comparison(new, Change.AMBIGUOUS, ratio, ForbiddenByFlags(tuple(sorted(flags))))
    p_value = statistics.difference_level(*log_ratios, margin, pilots, priors)
    return Comparison(new, change_of(statistics.verdict(ratio, margin)), ratio, p_value=p_value)


def _log_ratios(contents: Contents, record: ThroughputRecord) -> list[float]:
    """The record's log-ratios to the baseline measured beside it; none where there is no such."""
    name, baseline = record.implementation, record.cell.baseline
    if record.figures and record.figures.baseline_samples:
        samples = {name: record.samples, baseline: record.figures.baseline_samples}
        return statistics.log_ratios(samples, name, baseline)
    beside = [
        other
        for other in contents.history
        if isinstance(other, ThroughputRecord)
        and other.session == record.session
        and other.identity.cell_key == record.identity.cell_key
        and other.implementation == baseline
    ]
    if not beside:
        return []
    samples = {name: record.samples, baseline: beside[-1].samples}
    return statistics.log_ratios(samples, name, baseline)
