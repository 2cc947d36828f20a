"""A session's verdicts stand together: many comparisons, one probability that any is wrong."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from harness import statistics
from harness.analysis.multiple_testing import correct_verdicts
from harness.records import (
    Flag,
    Identity,
    Interval,
    Seconds,
    Status,
    ThroughputFigures,
    ThroughputRecord,
    Verdict,
)
from harness.report.phrases import verdict_correction
from tests.helpers.synthetic import BASELINE, ENVIRONMENT, SPEEDS, TIME, cell, old, throughput


def record(
    number: int, level: float, *, name: str = "numpy", alpha: float = 0.05
) -> ThroughputRecord:
    about = cell((8, 8, number + 1), alpha=alpha)
    verdict = Verdict.SLOWER if level < alpha else Verdict.AMBIGUOUS
    ratio = Interval(1.2, 1.1, 1.3)
    figures = ThroughputFigures(Seconds(1.0), ratio=ratio, verdict=verdict, p_value=level)
    identity = Identity(name, about, "source", ENVIRONMENT)
    return ThroughputRecord(identity, "s1", TIME, Status.OK, figures=figures)


def outcomes(records: list[ThroughputRecord]) -> list[str]:
    found = correct_verdicts(records)
    return [found.outcome(record) for record in records]


def test_one_comparison_needs_no_correction() -> None:
    assert outcomes([record(0, 0.049)]) == [Verdict.SLOWER]


def test_of_two_that_are_just_decided_neither_stands_and_both_tell_what_they_were() -> None:
    records = [record(0, 0.03), record(1, 0.04)]
    assert outcomes(records) == [Verdict.AMBIGUOUS] * 2
    assert correct_verdicts(records).withdrawn_verdict(records[0]) == Verdict.SLOWER


def test_one_that_was_ambiguous_counts_and_tells_nothing_new() -> None:
    records = [record(0, 0.001), record(1, 0.04), record(2, 0.5)]
    found = correct_verdicts(records)
    assert [found.withdrawn_verdict(record) for record in records] == [None, Verdict.SLOWER, None]
    assert found.compared == 3


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_what_stands_is_what_holms_rule_lets_stand(levels: list[float]) -> None:
    records = [record(number, level) for number, level in enumerate(levels)]
    stands = [outcome == Verdict.SLOWER for outcome in outcomes(records)]
    assert stands == statistics.holm(levels, 0.05)


def test_canary_baseline_and_what_is_flagged_are_no_comparisons() -> None:
    flagged = replace(record(1, 0.001), flags=(Flag.UNSTEADY,))
    canary = record(2, 0.001, name="canary")
    assert correct_verdicts([*throughput(cell(), {BASELINE: 1.0}), flagged, canary]).compared == 0
    assert (
        correct_verdicts(
            throughput(cell(), SPEEDS, failed={"numpy": Status.CRASHED}, flagged=["torch_unfused"])
        ).compared
        == 1
    )


def test_where_alphas_differ_the_least_holds_for_all() -> None:
    assert outcomes([record(0, 0.03, alpha=0.05), record(1, 0.004, alpha=0.01)]) == [
        Verdict.AMBIGUOUS,
        Verdict.SLOWER,
    ]


def test_verdicts_without_a_level_stand_and_are_counted_apart() -> None:
    found = correct_verdicts([*old(throughput(cell(), SPEEDS)), record(5, 0.03)])
    assert (found.compared, found.uncorrected, found.withdrawn) == (1, 3, frozenset())
    assert verdict_correction(found) == [
        (
            "Verdicts are corrected for 1 comparison (Holm) and hold together with 95 % "
            "confidence; that made none AMBIGUOUS."
        ),
        "3 verdicts of an earlier protocol have no p-value, and stand uncorrected.",
    ]
    assert not verdict_correction(correct_verdicts([]))
