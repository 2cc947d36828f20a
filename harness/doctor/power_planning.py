"""The smallest difference that a given time finds on a machine of known noise, where the time is
split in the best way between launches and blocks.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.statistics import LEAST_LAUNCHES, Components, smallest_effect

MOST = 1000  # launches, or blocks in one: what the configuration allows
# Ratio of the numbers of launches that are tried; near the best one the effect hardly changes.
LAUNCHES_TRIED = 1.05


@dataclass(frozen=True)
class SamplingCost:
    """Seconds that a comparison spends: ``start`` on the start of a launch, ``launch`` on preparing
    and warming up its arms, ``block`` on each block.
    """

    start: float
    launch: float
    block: float


@dataclass(frozen=True)
class SamplingPlan:
    """So many launches of so many blocks fit into ``seconds``; ``effect`` is the smallest slow-down
    that they find.
    """

    seconds: float
    launches: int
    blocks: int
    effect: float


def best_plan(
    components: Components, cost: SamplingCost, seconds: float, alpha: float, margin: float
) -> SamplingPlan | None:
    """The split of ``seconds`` into launches and blocks that finds the smallest effect SLOWER with
    power 0.8; None where two launches of a block do not fit.

    Numbers of blocks are odd, since for others `smallest_effect` is not exact.
    """
    plans = [
        _plan(components, cost, seconds, launches, alpha, margin)
        for launches in _numbers(seconds, cost)
    ]
    possible = [plan for plan in plans if plan is not None]
    return min(possible, key=lambda plan: plan.effect, default=None)


def _plan(
    components: Components,
    cost: SamplingCost,
    seconds: float,
    launches: int,
    alpha: float,
    margin: float,
) -> SamplingPlan | None:
    for_blocks = seconds / launches - cost.start - cost.launch
    fitting = min(int(for_blocks / cost.block), MOST)
    if for_blocks < 0 or fitting < 1:
        return None
    blocks = fitting - (fitting % 2 == 0)
    return SamplingPlan(
        seconds, launches, blocks, smallest_effect(components, launches, blocks, alpha, margin)
    )


def _numbers(seconds: float, cost: SamplingCost) -> list[int]:
    """Numbers of launches to try: every small one, ever fewer of the large ones, and the most that
    fit.
    """
    most = min(int(seconds / (cost.start + cost.launch + cost.block)), MOST)
    numbers, launches = [], LEAST_LAUNCHES
    while launches < most:
        numbers.append(launches)
        launches = max(launches + 1, int(launches * LAUNCHES_TRIED))
    return [*numbers, most] if most >= LEAST_LAUNCHES else []
