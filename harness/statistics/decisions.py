"""What an interval says, how surely it says it, and how much of that is left where many are
asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log1p

from harness.records import Interval, Verdict
from harness.statistics.moderation import VariancePrior
from harness.statistics.student import Estimate, difference, estimate, t_two_sided


def verdict(interval: Interval, margin: float) -> Verdict:
    """What an interval of a ratio of times says, given the relative ``margin`` below which nobody
    cares.
    """
    low, high = 1 / (1 + margin), 1 + margin
    if interval.high < low:
        return Verdict.FASTER
    if interval.low > high:
        return Verdict.SLOWER
    return Verdict.SAME if low <= interval.low and interval.high <= high else Verdict.AMBIGUOUS


def decision_level(
    log_ratios: Sequence[float],
    margin: float,
    pilot: int | None = None,
    prior: VariancePrior | None = None,
) -> float:
    """The least alpha at which the interval decides: the p-value of its verdict.

    verdict(interval(log_ratios, alpha, pilot, prior), margin) is not AMBIGUOUS
        ⇔  decision_level(log_ratios, margin, pilot, prior) < alpha

    The verdict falls once the interval's bound comes off the edge of the margin, so this is the
    two-sided p-value of the mean being on that edge. Inside the margin it is twice that of two
    one-sided tests (Schuirmann 1987), because an interval that says SAME has both its bounds
    inside. Raises ValueError as ``interval`` does.
    """
    return _level(estimate(log_ratios, pilot, prior), margin)


def difference_level(
    log_ratios_a: Sequence[float],
    log_ratios_b: Sequence[float],
    margin: float,
    pilots: tuple[int | None, int | None] = (None, None),
    priors: tuple[VariancePrior | None, VariancePrior | None] = (None, None),
) -> float:
    """The same of the interval that ``welch`` gives: the p-value of FASTER or SLOWER, and 1 where
    it points at neither.
    """
    found = difference(log_ratios_a, log_ratios_b, pilots, priors)
    return _level(found, margin) if abs(found.mean) > log1p(margin) else 1.0


def _level(found: Estimate, margin: float) -> float:
    distance = abs(abs(found.mean) - log1p(margin))
    if not found.error:
        return 0.0 if distance else 1.0
    return t_two_sided(distance / found.error, found.freedom)


def holm(levels: Sequence[float], alpha: float) -> list[bool]:
    """Which of many verdicts stand, so that with probability 1 - ``alpha`` none of those that stand
    is wrong.

    Each is given by its p-value. The least of m must be below alpha / m, the next below alpha / (m
    - 1), and so on; with the first that is not, it and all after it fall (Holm 1979, "A simple
    sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6). No
    independence is assumed.
    """
    stands = [False] * len(levels)
    for rank, index in enumerate(sorted(range(len(levels)), key=levels.__getitem__)):
        if not levels[index] < alpha / (len(levels) - rank):
            break
        stands[index] = True
    return stands
