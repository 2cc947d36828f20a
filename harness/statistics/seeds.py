"""How many steps two arms take to a target, and how long a step takes, paired by seed."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, inf, log

from harness.records import Interval
from harness.statistics.intervals import LARGEST_LOG, interval
from harness.statistics.proportions import binomial_interval
from harness.statistics.student import LEAST_LAUNCHES

# stands for the infinite log-ratio of a miss, so that averages of opposite misses stay defined
MISSED_LOG = 1e9
RESAMPLES = 9999


def step_ratio(
    arm: Sequence[float | None], reference: Sequence[float | None], alpha: float, seed: int = 0
) -> Interval:
    """The median over paired seeds of steps, or seconds, to a target, ``arm`` over ``reference``;
    percentile bootstrap.

    None is a miss and counts as infinitely long, so that bounds may be 0 or infinite; two misses
    are a tie. Pairs are resampled, drawn from ``seed``. Raises ValueError where nothing is paired
    or the numbers of seeds differ.
    """
    import numpy as np

    logs = np.array(_step_logs(arm, reference))
    drawn = np.random.default_rng(seed).integers(len(logs), size=(RESAMPLES, len(logs)))
    low, high = np.quantile(np.median(logs[drawn], axis=1), (alpha / 2, 1 - alpha / 2))
    return Interval(*(_unbounded_exp(float(value)) for value in (np.median(logs), low, high)))


def pace_ratio(arm: Sequence[float], reference: Sequence[float], alpha: float) -> Interval | None:
    """The geometric mean over paired seeds of seconds a step, ``arm`` over ``reference``; Student's
    t on log-ratios.

    A seed's run is what a launch is elsewhere: the unit of replication. One seed has no interval:
    None. Raises ValueError where the numbers of seeds differ.
    """
    logs = [log(ours / theirs) for ours, theirs in zip(arm, reference, strict=True)]
    return interval(logs, alpha) if len(logs) >= LEAST_LAUNCHES else None


def outperformance(
    arm: Sequence[float | None], reference: Sequence[float | None], alpha: float
) -> Interval:
    """The probability that ``arm`` takes fewer steps than ``reference`` on a new seed; ties count
    half.

    The measure is Bouthillier et al.'s (2021). Its interval is Clopper and Pearson's exact one
    instead of their bootstrap, which after five wins of five would be certain of the sixth. Raises
    ValueError as ``step_ratio`` does.
    """
    logs = _step_logs(arm, reference)
    wins, pairs = sum((value < 0) + (value == 0) / 2 for value in logs), len(logs)
    return Interval(wins / pairs, *binomial_interval(wins, pairs, alpha))


def _unbounded_exp(value: float) -> float:
    return exp(value) if abs(value) <= LARGEST_LOG else inf if value > 0 else 0.0


def _step_logs(arm: Sequence[float | None], reference: Sequence[float | None]) -> list[float]:
    if len(arm) != len(reference) or not arm:
        raise ValueError(
            f"arms are paired by seed, and {len(arm)} and {len(reference)} seeds were given; "
            "give each the same seeds, at least one"
        )
    return list(map(_step_log, arm, reference))


def _step_log(ours: float | None, theirs: float | None) -> float:
    if ours == theirs:
        return 0.0
    return MISSED_LOG if ours is None else -MISSED_LOG if theirs is None else log(ours / theirs)
