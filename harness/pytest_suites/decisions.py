"""Tests paired by name over the runs of base and head, and a verdict for each.

A pair of runs gives each test one log-ratio, of its medians in both: the rounds within a run share
a process, and tell nothing about the next one. Intervals are Student's t on the log-ratios, with
variances moderated over the suite's tests; SLOWER and FASTER are Holm's over all tests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import log
from statistics import median, stdev

from harness import statistics
from harness.pytest_suites.runs import SuiteRun
from harness.records import Interval, Verdict
from harness.statistics import LaunchVariance, VariancePrior

Pairs = Sequence[tuple[SuiteRun, SuiteRun]]  # base and head


class SuiteOutcome(StrEnum):
    """What became of a test from base to head; the first four are the verdict on the ratio of
    times, head / base.
    """

    FASTER = "FASTER"
    SLOWER = "SLOWER"
    SAME = "SAME"
    AMBIGUOUS = "AMBIGUOUS"
    NEW = "NEW"  # base has no such test, or skips it
    GONE = "GONE"  # head has none, or skips it
    BROKEN = "BROKEN"  # it fails in head alone
    MENDED = "MENDED"  # it failed in base alone
    FAILED = "FAILED"  # it fails in both, or in head and is new there


ALARMS = {SuiteOutcome.SLOWER, SuiteOutcome.FASTER}


@dataclass(frozen=True)
class Decision:
    """The ratio of times with the interval of ``alpha``, and how surely its verdict is known."""

    ratio: Interval
    p_value: float
    launches: int


@dataclass(frozen=True)
class SuiteTest:
    """One test of a suite. ``decision`` is there where two pairs timed it in both trees; ``reason``
    says why it failed.
    """

    name: str
    outcome: SuiteOutcome
    decision: Decision | None = None
    reason: str | None = None


def decide(pairs: Pairs, *, margin: float, alpha: float) -> tuple[SuiteTest, ...]:
    """What became of each benchmark, in the order in which the runs had them."""
    names = dict.fromkeys(
        name for pair in pairs for run in pair for name in (*run.reports, *run.medians)
    )
    log_ratios = {name: _log_ratios(pairs, name) for name in names}
    priors = _priors(pairs, log_ratios)
    judged = (_judge(pairs, name, log_ratios[name], priors, margin, alpha) for name in names)
    return correct([test for test in judged if test is not None], alpha)


def _judge(
    pairs: Pairs,
    name: str,
    log_ratios: Sequence[float],
    priors: Mapping[str, VariancePrior | None],
    margin: float,
    alpha: float,
) -> SuiteTest | None:
    """None for what is no benchmark, or is skipped in both."""
    failures = _failure(pairs, name, 0), _failure(pairs, name, 1)
    timed = [any(name in pair[side].medians for pair in pairs) for side in (0, 1)]
    if any(failures):
        reason = failures[1] or failures[0]
        return SuiteTest(name, _outcome_of_failures(failures, timed), reason=reason)
    if not all(timed):
        gone_or_new = SuiteOutcome.GONE if timed[0] else SuiteOutcome.NEW
        return SuiteTest(name, gone_or_new) if any(timed) else None
    if len(log_ratios) < statistics.LEAST_LAUNCHES:
        return SuiteTest(name, SuiteOutcome.AMBIGUOUS)
    return _timed(name, log_ratios, priors.get(name), margin, alpha)


def _outcome_of_failures(
    failures: tuple[str | None, str | None], timed: Sequence[bool]
) -> SuiteOutcome:
    """Of a test that fails in either tree; where the other has none, there was nothing to break."""
    base_failure, head_failure = failures
    if head_failure:
        broken = timed[0] and not base_failure
        return SuiteOutcome.BROKEN if broken else SuiteOutcome.FAILED
    return SuiteOutcome.MENDED if timed[1] else SuiteOutcome.GONE


def _timed(
    name: str, log_ratios: Sequence[float], prior: VariancePrior | None, margin: float, alpha: float
) -> SuiteTest:
    ratio = statistics.interval(log_ratios, alpha, prior=prior)
    verdict: Verdict = statistics.verdict(ratio, margin)
    p_value = statistics.decision_level(log_ratios, margin, prior=prior)
    return SuiteTest(name, SuiteOutcome(verdict), Decision(ratio, p_value, len(log_ratios)))


def correct(tests: Sequence[SuiteTest], alpha: float) -> tuple[SuiteTest, ...]:
    """With AMBIGUOUS for each alarm that does not stand among so many."""
    p_values = [test.decision.p_value for test in tests if test.decision is not None]
    stands = iter(statistics.holm(p_values, alpha))
    return tuple(
        test
        if test.decision is None or next(stands) or test.outcome not in ALARMS
        else replace(test, outcome=SuiteOutcome.AMBIGUOUS)
        for test in tests
    )


def _log_ratios(pairs: Pairs, name: str) -> list[float]:
    return [
        log(head.medians[name] / base.medians[name])
        for base, head in pairs
        if name in base.medians and name in head.medians
    ]


def _priors(
    pairs: Pairs, log_ratios: Mapping[str, Sequence[float]]
) -> dict[str, VariancePrior | None]:
    """By test, what the noise of the others lets expect of its own; noise goes with how long a call
    takes.
    """
    rows = {
        name: LaunchVariance(stdev(own) ** 2, len(own) - 1, name, (log(_seconds(pairs, name)),))
        for name, own in log_ratios.items()
        if len(own) >= statistics.LEAST_LAUNCHES
    }
    fitted = statistics.priors(list(rows.values()))
    return {
        name: None if prior is None else prior.of(rows[name].covariates)
        for name, prior in fitted.items()
    }


def _seconds(pairs: Pairs, name: str) -> float:
    return median(base.medians[name] for base, _ in pairs if name in base.medians)


def _failure(pairs: Pairs, name: str, side: int) -> str | None:
    """Why it failed in the runs of a side, with how many of them; None where it did not."""
    reports = [pair[side].reports.get(name) for pair in pairs]
    failed = [report for report in reports if report and report.outcome == "failed"]
    if not failed:
        return None
    often = "" if len(failed) == len(pairs) else f"in {len(failed)} of {len(pairs)} runs: "
    return f"{often}{failed[0].reason or 'no reason is given'}"
