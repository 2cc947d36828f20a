"""The best use of a time."""

from __future__ import annotations

import pytest

from harness.doctor.noise import TIMES
from harness.doctor.power_planning import MOST, SamplingCost, best_plan
from harness.statistics import Components, smallest_effect
from tests.helpers.doctor import ALPHA, MARGIN


@pytest.mark.parametrize(
    "components", [Components(0.05, 0.0), Components(0.02, 0.02), Components(0.0, 0.05)]
)
@pytest.mark.parametrize("cost", [SamplingCost(2.0, 0.5, 0.1), SamplingCost(0.0, 0.1, 0.3)])
@pytest.mark.parametrize("seconds", TIMES)
def test_no_other_split_of_the_time_finds_much_less(
    components: Components, cost: SamplingCost, seconds: float
) -> None:
    plan = best_plan(components, cost, seconds, ALPHA, MARGIN)
    assert plan is not None
    assert plan.launches * (cost.start + cost.launch + plan.blocks * cost.block) <= seconds * (
        1 + 1e-9
    )
    for launches in range(2, min(int(seconds / (cost.start + cost.launch + cost.block)), MOST) + 1):
        blocks = int((seconds / launches - cost.start - cost.launch) / cost.block)
        blocks -= blocks % 2 == 0
        if blocks >= 1:
            assert plan.effect - MARGIN <= 1.02 * (
                smallest_effect(components, launches, blocks, ALPHA, MARGIN) - MARGIN
            )


def test_launches_that_do_not_differ_are_filled_with_blocks_and_others_are_multiplied() -> None:
    alike, unlike = (
        best_plan(Components(*spread), SamplingCost(2.0, 1.0, 0.1), 60.0, ALPHA, MARGIN)
        for spread in ((0.05, 0.0), (0.005, 0.05))
    )
    assert alike is not None
    assert unlike is not None
    assert alike.launches < unlike.launches
    assert alike.blocks > unlike.blocks


def test_a_time_too_short_for_two_launches_finds_nothing() -> None:
    assert (
        best_plan(Components(0.01, 0.01), SamplingCost(2.0, 1.0, 0.1), 6.0, ALPHA, MARGIN) is None
    )
