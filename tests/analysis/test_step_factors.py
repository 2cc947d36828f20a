"""Time to the target splits into steps and time a step."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from harness import statistics
from harness.analysis.step_factors import StepFactors, step_factors
from harness.records import TrainingRecord
from harness.statistics import Duration
from tests.helpers.trainings import group_of, trained, with_figures, with_pace

ARMS = ("torch_native", "numpy", "none")


def between(records: Sequence[TrainingRecord], arm: str, against: str) -> StepFactors:
    found = {(one.implementation, one.against): one for one in step_factors(group_of(records))}
    return found[arm, against]


def test_a_slower_kernel_on_the_same_path_differs_in_time_a_step_alone():
    slow = []
    for record in trained(ARMS):
        seconds = 2e-3 if record.implementation == "numpy" else 1e-3
        slow.append(with_pace(record, seconds * (1 + 0.01 * record.cell.seed)))
    found = between(slow, "numpy", "torch_native")
    assert (found.steps.estimate, found.steps.low, found.steps.high) == (1, 1, 1)
    ratios = [ratio.estimate for ratio in (found.step_time, found.total_time)]
    assert ratios == pytest.approx([2, 2])


def test_another_path_at_the_same_pace_differs_in_steps_alone():
    longer = [
        with_figures(record, steps_to_target=3 * steps, seconds_to_target=3 * steps * 1e-3)
        if record.implementation == "numpy" and (steps := record.figures.steps_to_target)
        else record
        for record in trained()
    ]
    found = between(longer, "numpy", "torch_native")
    ratios = [ratio.estimate for ratio in (found.steps, found.step_time, found.total_time)]
    assert ratios == pytest.approx([3, 1, 3])


def test_each_factor_has_the_interval_of_its_own_statistic():
    records = [
        with_pace(record, 1e-3 * (1 + 0.1 * record.cell.seed * (record.implementation == "numpy")))
        for record in trained()
    ]
    found, group = between(records, "numpy", "torch_native"), group_of(records)
    ours, theirs = (list(group.figures_of(name).values()) for name in ("numpy", "torch_native"))
    assert found.step_time == statistics.pace_ratio(
        [figures.seconds_per_step for figures in ours],
        [figures.seconds_per_step for figures in theirs],
        0.05,
    )
    assert found.total_time == statistics.duration_ratio(
        [Duration(figures.seconds_to_target) for figures in ours],
        [Duration(figures.seconds_to_target) for figures in theirs],
        0.05,
    )


def test_misses_bound_the_ratio_of_steps_and_of_seconds_from_below_and_leaves_the_pace():
    missing = trained(missing=[("numpy", seed) for seed in range(8)])
    found = between(missing, "numpy", "torch_native")
    assert found.steps.estimate is found.total_time.estimate is None
    assert found.steps.high == found.total_time.high == float("inf")
    assert found.steps.low == pytest.approx(found.total_time.low)
    assert found.steps.low > 1
    assert found.steps.missed == 8
    assert found.step_time.estimate == pytest.approx(1)


def test_where_no_arm_reaches_the_target_there_is_no_ratio_of_steps():
    missing = [(name, seed) for name in ("numpy", "torch_native") for seed in range(8)]
    assert between(trained(missing=missing), "numpy", "torch_native").steps is None


def test_arms_are_compared_with_the_network_without_bn_and_with_the_baseline():
    found = step_factors(group_of(trained((*ARMS, "group_norm"))))
    assert [(one.implementation, one.against) for one in found] == [
        ("torch_native", "none"),
        ("numpy", "none"),
        ("group_norm", "none"),
        ("numpy", "torch_native"),
        ("group_norm", "torch_native"),
    ]
    assert step_factors(group_of(trained(["numpy"]))) == []
