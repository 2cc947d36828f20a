"""Whether implementations train the same network, as the report words it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from harness.analysis.equivalence import (
    EquivalenceVerdict,
    NetworkComparison,
    PartlyWithin,
    TooFewSeeds,
    UnpairedSeeds,
    VerdictWithdrawn,
    compare_networks,
)
from harness.records import TrainingRecord
from harness.report.markdown import equivalence
from tests.helpers.trainings import group_of, rounded_from, trained, with_cell


def compared(records: Sequence[TrainingRecord]) -> NetworkComparison:
    return compare_networks(group_of(records))[0]


def sentence(records: Sequence[TrainingRecord]) -> str:
    return equivalence.sentence(group_of(records), compared(records))


def steps_and_ulps(records: Sequence[TrainingRecord]) -> tuple[str, str]:
    one = compared(records)
    return equivalence.steps_text(one), equivalence.ulps_text(one)


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        (UnpairedSeeds((3,), ()), "one alone diverged at seed 3"),
        (UnpairedSeeds((1,), (3, 5)), "one alone diverged at seed 1 and failed at seed 3 and 5"),
        (TooFewSeeds(1), "1 seed, a verdict takes 6"),
        (TooFewSeeds(0), "0 seeds, a verdict takes 6"),
        (PartlyWithin(), "the interval is partly within"),
        (VerdictWithdrawn(EquivalenceVerdict.DIFFERENT), "not DIFFERENT after Holm's correction"),
    ],
)
def test_what_is_undecided_has_its_reason(reason, text):
    assert equivalence.reason_text(reason) == text


def test_the_interval_is_as_sure_as_the_cell_asks():
    sure = [with_cell(record, alpha=0.4) for record in trained()]
    assert "points [20 %]" in equivalence.table(group_of(sure))


def test_losses_that_never_differ_stand_with_how_many_steps_were_compared():
    assert steps_and_ulps(trained()) == ("never in 200 steps", "–")
    assert "losses never differ in 200 steps" in sentence(trained())


def test_where_losses_part_is_the_median_and_range_over_seeds_in_steps_and_ulp():
    records = [
        rounded_from(record, 3 + record.cell.seed, 1 + record.cell.seed)
        if record.implementation == "numpy"
        else record
        for record in trained(seeds=range(3))
    ]
    assert steps_and_ulps(records) == ("4 (3 to 5)", "2 (1 to 3)")
    text = "losses first differ at step 4 (3 to 5), by 2 (1 to 3) ulp"
    assert text in sentence(records)


@pytest.mark.parametrize(("ulps", "beyond"), [(400, False), (60_000, True)])
def test_losses_that_part_by_thousands_of_ulp_are_said_to_be_no_rounding(ulps, beyond):
    records = [
        rounded_from(record, 2, ulps) if record.implementation == "numpy" else record
        for record in trained()
    ]
    for page in (equivalence.table(group_of(records)), sentence(records)):
        assert ("more than rounding" in page) == beyond


def test_a_seed_that_never_parts_counts_as_later_than_any():
    records = [
        rounded_from(record, 7) if record.implementation == "numpy" and record.cell.seed else record
        for record in trained(seeds=range(3))
    ]
    assert steps_and_ulps(records)[0] == "7 (7 to never)"


def test_a_run_that_ends_while_the_other_goes_on_has_no_number_of_ulp():
    records = trained(seeds=range(2), diverged=[("numpy", 1)])
    assert steps_and_ulps(records)[1] == "one run ends in 1 seed"
    assert "ulp" not in sentence(records)
