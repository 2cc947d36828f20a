"""Two measurements of a speed, compared by their ratios to what was measured beside them: absolute
times of two days cannot be compared.
"""

from __future__ import annotations

from math import hypot, log
from typing import assert_never

from harness import statistics
from harness.analysis.ratios import ratio_to_baseline, ratio_to_floor
from harness.records import Interval, ThroughputRecord, Verdict
from harness.replay.outcomes import Outcome, ReplayVerdict


def compare_ratios(original: ThroughputRecord, again: ThroughputRecord) -> ReplayVerdict:
    """FASTER, SLOWER, SAME or AMBIGUOUS at the margin of the cell. A flag forbids a verdict."""
    before, after = ratio_of(original), ratio_of(again)
    if before is None or after is None:
        return ReplayVerdict(
            Outcome.AMBIGUOUS,
            "there is no ratio to compare, neither to a baseline nor to the floor",
        )
    ratio = quotient(after, before)
    note = f"{ratio.estimate:.3f} [{ratio.low:.3f}, {ratio.high:.3f}] of the ratio that it had"
    flags = sorted({*original.flags, *again.flags})
    if flags:
        return ReplayVerdict(Outcome.AMBIGUOUS, f"{note}; no verdict: {', '.join(flags)}")
    return ReplayVerdict(outcome_of(statistics.verdict(ratio, again.cell.margin)), note)


def outcome_of(verdict: Verdict) -> Outcome:
    """The type checker asks here for the outcome of each new verdict."""
    match verdict:
        case Verdict.FASTER:
            return Outcome.FASTER
        case Verdict.SLOWER:
            return Outcome.SLOWER
        case Verdict.SAME:
            return Outcome.SAME
        case Verdict.AMBIGUOUS:
            return Outcome.AMBIGUOUS
        case _:
            assert_never(verdict)


def ratio_of(record: ThroughputRecord) -> Interval | None:
    """The time relative to the baseline's or, of the baseline, to the floor's."""
    if record.implementation == record.cell.baseline:
        return ratio_to_floor(record)
    return ratio_to_baseline(record)


def quotient(after: Interval, before: Interval) -> Interval:
    """The ratio of two independent ratios: on logarithms half-widths add in quadrature, as standard
    errors do.
    """
    centre = log(after.estimate) - log(before.estimate)
    below = hypot(log(after.estimate) - log(after.low), log(before.high) - log(before.estimate))
    above = hypot(log(after.high) - log(after.estimate), log(before.estimate) - log(before.low))
    return Interval(*map(statistics.bounded_exp, (centre, centre - below, centre + above)))
