"""Implementations are the same network where that is proven, over seeds enough."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from harness import statistics
from harness.analysis.equivalence import (
    EquivalenceVerdict,
    NetworkComparison,
    PartlyWithin,
    TooFewSeeds,
    UnpairedSeeds,
    VerdictWithdrawn,
    compare_networks,
)
from harness.records import Status, TrainingRecord
from tests.helpers.trainings import (
    SEEDS,
    failing,
    group_of,
    rounded_from,
    trained,
    with_accuracies,
    with_cell,
)

BASE = [0.95, 0.94, 0.96, 0.95, 0.93, 0.95, 0.96, 0.94]
WAVER = [0.001, -0.001, 0.002, 0.0, -0.002, 0.001, 0.0, -0.001]
UNDECIDED = EquivalenceVerdict.UNDECIDED


def off(points: float, noise: float = 1.0) -> list[float]:
    return [base + points / 100 + noise * waver for base, waver in zip(BASE, WAVER, strict=True)]


def judged(records: Sequence[TrainingRecord]) -> NetworkComparison:
    return compare_networks(group_of(records))[0]


@pytest.mark.parametrize(
    ("points", "noise", "verdict", "reason"),
    [
        (0.0, 1, "EQUIVALENT", None),
        (0.5, 1, "EQUIVALENT", None),
        (3.0, 1, "DIFFERENT", None),
        (-3.0, 1, "DIFFERENT", None),
        (1.0, 1, "UNDECIDED", PartlyWithin()),
        (0.0, 30, "UNDECIDED", PartlyWithin()),
    ],
)
def test_the_verdict_is_where_the_interval_lies(points, noise, verdict, reason):
    one = judged(with_accuracies(trained(), {"torch_native": BASE, "numpy": off(points, noise)}))
    assert (one.verdict, one.reason) == (EquivalenceVerdict(verdict), reason)
    assert one.test == statistics.equivalence(off(points, noise), BASE, 0.01, 0.05)


def test_a_wide_interval_at_another_alpha_is_another_verdict():
    records = with_accuracies(trained(), {"torch_native": BASE, "numpy": off(0.8, 3)})
    assert judged(records).verdict == "UNDECIDED"
    sure = [with_cell(record, alpha=0.4) for record in records]
    assert judged(sure).verdict == "EQUIVALENT"


@pytest.mark.parametrize("seeds", [1, 2, 5])
def test_few_seeds_decide_nothing_though_they_agree_exactly(seeds):
    one = judged(trained(seeds=range(seeds)))
    assert (one.verdict, one.reason, one.seeds) == (UNDECIDED, TooFewSeeds(seeds), seeds)
    assert (one.test is None) == (seeds == 1)
    assert judged(trained(seeds=range(6))).verdict == "EQUIVALENT"


def test_verdicts_fall_where_there_are_too_many_to_be_sure_of_all():
    alone = with_accuracies(trained(), {"torch_native": BASE, "numpy": off(0.75, 2.5)})
    assert judged(alone).verdict == "EQUIVALENT"
    arms = ["torch_native", "numpy", *(f"plugin_{number}" for number in range(6))]
    accuracies = {name: off(0.75, 2.5) for name in arms[1:]}
    many = with_accuracies(trained(arms), {"torch_native": BASE, **accuracies})
    assert {(one.verdict, one.reason) for one in compare_networks(group_of(many))} == {
        (UNDECIDED, VerdictWithdrawn(EquivalenceVerdict.EQUIVALENT))
    }


def test_an_arm_that_alone_diverges_is_not_called_the_same_on_the_seeds_that_are_left():
    one = judged(trained(diverged=[("numpy", 3)]))
    assert (one.verdict, one.reason, one.seeds) == (UNDECIDED, UnpairedSeeds((3,), ()), 7)
    both = judged(trained(diverged=[("numpy", 3), ("torch_native", 3)]))
    assert both.verdict == "EQUIVALENT"


@pytest.mark.parametrize(
    "status", [Status.CRASHED, Status.TIMEOUT, Status.WRONG, Status.UNSUPPORTED]
)
@pytest.mark.parametrize("name", ["numpy", "torch_native"])
def test_an_arm_that_alone_fails_is_not_called_the_same_on_the_seeds_that_are_left(name, status):
    one = judged(failing(trained(), status, [(name, 3)]))
    assert (one.verdict, one.reason, one.seeds) == (UNDECIDED, UnpairedSeeds((), (3,)), 7)
    both = judged(failing(trained(), status, [("numpy", 3), ("torch_native", 3)]))
    assert both.verdict == "EQUIVALENT"


def test_divergences_and_failures_of_one_alone_are_both_found():
    diverged = trained(diverged=[("numpy", 1)])
    one = judged(failing(diverged, Status.CRASHED, [("numpy", 3), ("numpy", 5)]))
    assert one.reason == UnpairedSeeds(diverged=(1,), failed=(3, 5))


def test_a_seed_that_one_has_not_run_yet_is_no_failure():
    missing = ("numpy", 3)
    records = [
        record for record in trained() if (record.implementation, record.cell.seed) != missing
    ]
    assert judged(records).verdict == "EQUIVALENT"


@pytest.mark.parametrize("status", [Status.UNSUPPORTED, Status.UNAVAILABLE])
def test_an_arm_that_is_refused_at_every_seed_is_not_compared(status):
    one = judged(failing(trained(), status, [("numpy", seed) for seed in SEEDS]))
    assert (one.reason, one.test, one.divergences) == (TooFewSeeds(0), None, ())


def test_only_implementations_of_bn_are_compared_and_only_with_a_baseline_that_ran():
    arms = ["torch_native", "none", "group_norm", "layer_norm", "ghost_batch_norm", "numpy"]
    found = compare_networks(group_of(trained(arms)))
    assert [one.implementation for one in found] == ["numpy"]
    assert compare_networks(group_of(trained(["numpy", "torch_unfused"]))) == []


def test_losses_that_never_differ_come_with_how_many_steps_were_compared():
    one = judged(trained())
    assert (set(one.divergences), one.steps) == ({None}, 200)


def test_where_losses_part_is_found_for_each_seed_in_steps_and_ulp():
    records = [
        rounded_from(record, 3 + record.cell.seed, 1 + record.cell.seed)
        if record.implementation == "numpy"
        else record
        for record in trained(seeds=range(3))
    ]
    assert judged(records).divergences == ((3, 1), (4, 2), (5, 3))


@pytest.mark.parametrize(("ulps", "beyond"), [(400, False), (60_000, True)])
def test_losses_that_part_by_thousands_of_ulp_are_beyond_rounding_however_well_they_end(
    ulps, beyond
):
    records = [
        rounded_from(record, 2, ulps) if record.implementation == "numpy" else record
        for record in trained()
    ]
    assert (judged(records).verdict, judged(records).beyond_rounding) == ("EQUIVALENT", beyond)


def test_a_run_that_ends_while_the_other_goes_on_parts_there_by_no_number_of_ulp():
    one = judged(trained(seeds=range(2), diverged=[("numpy", 1)]))
    assert one.divergences == (None, (51, None))
    assert one.ulps == []


def test_seeds_are_paired_by_number_and_not_by_order():
    records = with_accuracies(trained(), {"torch_native": BASE, "numpy": off(0)})
    backwards = judged(list(reversed(records)))
    assert backwards.test.level == pytest.approx(judged(records).test.level)
    assert len(SEEDS) == judged(records).seeds
