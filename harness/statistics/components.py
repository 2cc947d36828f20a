"""How much two launches of the same code differ, how much two blocks of a launch do, and what that
lets one see.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot, pi, sqrt
from statistics import fmean

from harness.statistics.launch_planning import detectable
from harness.statistics.moderation import LEAST_LAUNCHES
from harness.statistics.student import Estimate


@dataclass(frozen=True)
class Components:
    """Standard deviations of log-ratios: ``within`` a launch, from block to block, and ``between``
    launches beyond that.
    """

    within: float
    between: float


def variance_components(by_launch: Sequence[Sequence[float]]) -> Components:
    """The noise of a machine, from log-ratios of the same code to itself: one sequence of blocks
    for each launch.

    The analysis-of-variance estimator of the one-way random-effects model, for unequal numbers of
    blocks too (Sokal and Rohlf, Biometry, 9.2); a negative variance between launches counts as 0.
    Launches without a block are passed over. Raises ValueError for fewer than two launches, or one
    block in each.
    """
    launches = [blocks for blocks in by_launch if blocks]
    count, total = len(launches), sum(map(len, launches))
    if count < LEAST_LAUNCHES or total == count:
        raise ValueError(
            f"{count} launches with {total} blocks in all do not tell launches from blocks apart; "
            f"at least {LEAST_LAUNCHES} launches, and two blocks in one of them, are needed"
        )
    means = [fmean(blocks) for blocks in launches]
    middle = fmean(means, weights=list(map(len, launches)))
    within = sum(
        (value - mean) ** 2
        for blocks, mean in zip(launches, means, strict=True)
        for value in blocks
    )
    between = sum(
        len(blocks) * (mean - middle) ** 2 for blocks, mean in zip(launches, means, strict=True)
    )
    square_within, square_between = within / (total - count), between / (count - 1)
    blocks_each = (total - sum(len(blocks) ** 2 for blocks in launches) / total) / (count - 1)
    return Components(
        sqrt(square_within), sqrt(max(0.0, (square_between - square_within) / blocks_each))
    )


def smallest_effect(
    components: Components,
    launches: int,
    blocks: int,
    alpha: float,
    margin: float,
    power: float = 0.8,
) -> float:
    """The least relative slow-down that a session of this size finds SLOWER with probability
    ``power`` on such a machine.

    A launch gives the median over its blocks, whose variance is that of one block times pi / (2 ·
    blocks + pi - 2): exact for one, within 2 % for any odd number of them, and up to a fifth too
    much for an even one. Raises ValueError for fewer than two launches or no block.
    """
    if launches < LEAST_LAUNCHES or blocks < 1:
        raise ValueError(
            f"{launches} launches of {blocks} blocks give no interval; at least {LEAST_LAUNCHES} "
            "launches of 1 block are needed"
        )
    launch = hypot(components.between, components.within * sqrt(pi / (2 * blocks + pi - 2)))
    return detectable(Estimate(0.0, launch / sqrt(launches), launches - 1), alpha, margin, power)
