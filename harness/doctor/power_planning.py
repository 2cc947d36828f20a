"""The smallest difference that a given time finds on a machine of known noise, with that time spent
as well as it can be.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.statistics import LEAST_LAUNCHES, Components, smallest_effect

MOST = 1000  # launches, or blocks in one: what the configuration allows
# ratio of neighbouring numbers of launches: the best is flat, so that not each has to be tried
LAUNCHES_TRIED = 1.05


@dataclass(frozen=True)
class Cost:
    """What a comparison costs in seconds: to start a launch, to ready its arms and warm them up,
    and to take a block.
    """

    start: float
    launch: float
    block: float


@dataclass(frozen=True)
class Plan:
    """How many seconds are spent on how many launches of how many blocks, and the least slow-down
    that this finds.
    """

    seconds: float
    launches: int
    blocks: int
    effect: float


def best_plan(
    components: Components, cost: Cost, seconds: float, alpha: float, margin: float
) -> Plan | None:
    """The split of ``seconds`` among launches and blocks with the smallest effect, found SLOWER
    with power 0.8.

    Numbers of blocks are odd, as `smallest_effect` is right for those. None where two launches of a
    block do not fit.
    """
    plans = [
        plan
        for launches in _numbers(seconds, cost)
        if (plan := _plan(components, cost, seconds, launches, alpha, margin)) is not None
    ]
    return min(plans, key=lambda plan: plan.effect, default=None)


def _plan(
    components: Components,
    cost: Cost,
    seconds: float,
    launches: int,
    alpha: float,
    margin: float,
) -> Plan | None:
    for_blocks = seconds / launches - cost.start - cost.launch
    fitting = min(int(for_blocks / cost.block), MOST)
    if for_blocks < 0 or fitting < 1:
        return None
    blocks = fitting - (fitting % 2 == 0)
    return Plan(
        seconds, launches, blocks, smallest_effect(components, launches, blocks, alpha, margin)
    )


def _numbers(seconds: float, cost: Cost) -> list[int]:
    """Numbers of launches worth trying: all of the few, ever fewer of the many, and the most."""
    most = min(int(seconds / (cost.start + cost.launch + cost.block)), MOST)
    numbers, launches = [], LEAST_LAUNCHES
    while launches < most:
        numbers.append(launches)
        launches = max(launches + 1, int(launches * LAUNCHES_TRIED))
    return [*numbers, most] if most >= LEAST_LAUNCHES else []
