"""Implementations are the same network where that is proven, over seeds enough, and where losses
part is told.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from harness import statistics
from harness.records import Record, Status
from harness.report import sameness
from harness.report.sameness import Judgement, Sameness
from tests.helpers.trainings import SEEDS, changed, ending, failing, race, trained

BASE = [0.95, 0.94, 0.96, 0.95, 0.93, 0.95, 0.96, 0.94]
WAVER = [0.001, -0.001, 0.002, 0.0, -0.002, 0.001, 0.0, -0.001]


def off(points: float, noise: float = 1.0) -> list[float]:
    return [base + points / 100 + noise * waver for base, waver in zip(BASE, WAVER, strict=True)]


def judged(records: Sequence[Record]) -> Sameness:
    return sameness.sameness(race(records))[0]


def rounded_at(record: Record, step: int, by: int = 1) -> Record:
    """From ``step`` on the losses are ``by`` float32 numbers higher."""

    def moved(at: int, loss: float) -> float:
        return float(
            (np.array(loss, np.float32).view(np.int32) + (by if at >= step else 0)).view(np.float32)
        )

    return changed(record, losses=moved)


@pytest.mark.parametrize(
    ("points", "noise", "judgement", "reason"),
    [
        (0.0, 1, "EQUIVALENT", None),
        (0.5, 1, "EQUIVALENT", None),
        (3.0, 1, "DIFFERENT", None),
        (-3.0, 1, "DIFFERENT", None),
        (1.0, 1, "UNDECIDED", "the interval is partly within"),
        (0.0, 30, "UNDECIDED", "the interval is partly within"),
    ],
)
def test_the_verdict_is_where_the_interval_lies(points, noise, judgement, reason):
    one = judged(ending(trained(), {"torch_native": BASE, "numpy": off(points, noise)}))
    assert (one.judgement, one.reason) == (Judgement(judgement), reason)
    expected = statistics.equivalence(off(points, noise), BASE, 0.01, 0.05)
    assert one.found == expected


def test_a_wide_interval_at_another_alpha_is_another_verdict():
    records = ending(trained(), {"torch_native": BASE, "numpy": off(0.8, 3)})
    assert judged(records).judgement == "UNDECIDED"
    sure = [changed(record, about={"alpha": 0.4}) for record in records]
    assert judged(sure).judgement == "EQUIVALENT"
    assert "points [20 %]" in sameness.table(race(sure))


@pytest.mark.parametrize("seeds", [1, 2, 5])
def test_few_seeds_decide_nothing_though_they_agree_exactly(seeds):
    one = judged(trained(seeds=range(seeds)))
    said = f"{seeds} seed{'s' * (seeds > 1)}, a verdict takes 6"
    assert (one.judgement, one.reason, one.seeds) == (Judgement.UNDECIDED, said, seeds)
    assert (one.found is None) == (seeds == 1)
    assert judged(trained(seeds=range(6))).judgement == "EQUIVALENT"


def test_verdicts_fall_where_there_are_too_many_to_be_sure_of_all():
    alone = ending(trained(), {"torch_native": BASE, "numpy": off(0.75, 2.5)})
    assert judged(alone).judgement == "EQUIVALENT"
    arms = ["torch_native", "numpy", *(f"plugin_{number}" for number in range(6))]
    many = ending(
        trained(arms), {"torch_native": BASE, **{name: off(0.75, 2.5) for name in arms[1:]}}
    )
    assert {(one.judgement, one.reason) for one in sameness.sameness(race(many))} == {
        (Judgement.UNDECIDED, "not EQUIVALENT after Holm's correction")
    }


def test_who_alone_diverges_is_not_called_the_same_on_the_seeds_that_are_left():
    one = judged(trained(diverged=[("numpy", 3)]))
    assert (one.judgement, one.reason, one.seeds) == (
        Judgement.UNDECIDED,
        "one alone diverged at seed 3",
        7,
    )
    both = judged(trained(diverged=[("numpy", 3), ("torch_native", 3)]))
    assert both.judgement == "EQUIVALENT"


@pytest.mark.parametrize(
    "status", [Status.CRASHED, Status.TIMEOUT, Status.WRONG, Status.UNSUPPORTED]
)
@pytest.mark.parametrize("name", ["numpy", "torch_native"])
def test_who_alone_fails_is_not_called_the_same_on_the_seeds_that_are_left(name, status):
    one = judged(failing(trained(), status, [(name, 3)]))
    assert (one.judgement, one.reason, one.seeds) == (
        Judgement.UNDECIDED,
        "one alone failed at seed 3",
        7,
    )
    both = judged(failing(trained(), status, [("numpy", 3), ("torch_native", 3)]))
    assert both.judgement == "EQUIVALENT"


def test_divergences_and_failures_of_one_alone_are_both_told():
    one = judged(
        failing(trained(diverged=[("numpy", 1)]), Status.CRASHED, [("numpy", 3), ("numpy", 5)])
    )
    assert one.reason == "one alone diverged at seed 1 and failed at seed 3 and 5"


def test_a_seed_that_one_has_not_run_yet_is_no_failure():
    records = [
        record
        for record in trained()
        if (record.implementation, record.cell["seed"]) != ("numpy", 3)
    ]
    assert judged(records).judgement == "EQUIVALENT"


@pytest.mark.parametrize("status", [Status.UNSUPPORTED, Status.UNAVAILABLE])
def test_who_is_refused_at_every_seed_is_not_compared(status):
    one = judged(failing(trained(), status, [("numpy", seed) for seed in SEEDS]))
    assert (one.reason, one.found, one.parted) == ("0 seeds, a verdict takes 6", None, ())


def test_only_implementations_of_bn_are_asked_and_only_against_a_baseline_that_ran():
    arms = ["torch_native", "none", "group_norm", "layer_norm", "ghost_batch_norm", "numpy"]
    assert [one.implementation for one in sameness.sameness(race(trained(arms)))] == ["numpy"]
    assert sameness.sameness(race(trained(["numpy", "torch_unfused"]))) == []


def test_losses_that_never_differ_are_told_with_how_many_steps_were_compared():
    one = judged(trained())
    assert (sameness.where(one), sameness.apart(one)) == ("never in 200 steps", "–")
    assert "losses differ never in 200 steps" in sameness.told(race(trained()), one)


def test_where_losses_part_is_the_median_and_range_over_seeds_in_steps_and_ulp():
    records = [
        rounded_at(record, 3 + record.cell["seed"], 1 + record.cell["seed"])
        if record.implementation == "numpy"
        else record
        for record in trained(seeds=range(3))
    ]
    one = judged(records)
    assert (sameness.where(one), sameness.apart(one)) == ("4 (3 to 5)", "2 (1 to 3)")
    assert "losses first differ at step 4 (3 to 5), by 2 (1 to 3) ulp" in sameness.told(
        race(records), one
    )


@pytest.mark.parametrize(("ulps", "said"), [(400, False), (60_000, True)])
def test_losses_that_part_by_thousands_of_ulp_are_told_to_be_no_rounding(ulps, said):
    records = [
        rounded_at(record, 2, ulps) if record.implementation == "numpy" else record
        for record in trained()
    ]
    assert judged(records).judgement == "EQUIVALENT"
    for told in (sameness.table(race(records)), sameness.told(race(records), judged(records))):
        assert ("more than rounding" in told) == said


def test_a_seed_that_never_parts_counts_as_later_than_any():
    records = [
        rounded_at(record, 7)
        if record.implementation == "numpy" and record.cell["seed"]
        else record
        for record in trained(seeds=range(3))
    ]
    assert sameness.where(judged(records)) == "7 (7 to never)"


def test_a_run_that_ends_while_the_other_goes_on_parts_there_by_no_number_of_ulp():
    records = trained(seeds=range(2), diverged=[("numpy", 1)])
    one = judged(records)
    assert [parted and tuple(parted) for parted in one.parted] == [None, (51, None)]
    assert sameness.apart(one) == "one run ends in 1 seed"
    assert "ulp" not in sameness.told(race(records), one)


def test_seeds_are_paired_by_number_and_not_by_order():
    records = ending(trained(), {"torch_native": BASE, "numpy": off(0)})
    assert judged(list(reversed(records))).found.level == pytest.approx(judged(records).found.level)
    assert len(SEEDS) == judged(records).seeds
