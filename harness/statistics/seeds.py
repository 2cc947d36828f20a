"""How many steps two arms take to a target, and how long a step takes, paired by seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, inf, isfinite, log
from typing import NamedTuple

from harness.records import Interval
from harness.statistics.intervals import LARGEST_LOG, interval
from harness.statistics.moderation import LEAST_LAUNCHES
from harness.statistics.proportions import binomial_interval

RESAMPLES = 9999


class Duration(NamedTuple):
    """Steps, or seconds, to a target; where it was missed, those that were spent without reaching
    it.
    """

    value: float
    reached: bool = True


@dataclass(frozen=True)
class DurationRatio:
    """The median over ``pairs`` of one arm's duration over the reference's; over those in which
    either reached the target.

    ``estimate`` is None where misses leave the median open. ``low`` and ``high`` are the bounds of
    the confidence interval, 0 or infinite on a side that misses leave open; a single pair has no
    interval, and its bounds say only what a miss leaves open. ``missed`` counts pairs in which only
    the arm missed the target, ``reference_missed`` those in which only the reference did;
    ``both_missed`` pairs say nothing, and are left out of ``pairs``.
    """

    estimate: float | None
    low: float
    high: float
    pairs: int
    missed: int = 0
    reference_missed: int = 0
    both_missed: int = 0


def duration_ratio(
    arm: Sequence[Duration], reference: Sequence[Duration], alpha: float, seed: int = 0
) -> DurationRatio | None:
    """The median over paired seeds of ``arm`` over ``reference``, with its percentile bootstrap
    interval; None where neither ever reached the target.

    After a miss it is only known that the target takes longer than was spent: the pair's ratio lies
    above or below a bound, and the median between the medians of lower and upper bounds. Where both
    missed nothing is known, and the pair is left out. Pairs are resampled, drawn from ``seed``.
    Raises ValueError where nothing is paired or the numbers of seeds differ.
    """
    import numpy as np

    _check_pairs(len(arm), len(reference))
    given = list(zip(arm, reference, strict=True))
    pairs = [pair for pair in given if pair[0].reached or pair[1].reached]
    if not pairs:
        return None
    bounds = np.array([_log_bounds(*pair) for pair in pairs])
    drawn = np.random.default_rng(seed).integers(len(bounds), size=(RESAMPLES, len(bounds)))
    lows, highs = np.median(bounds[drawn], axis=1).T
    low, high = (float(bound) for bound in np.median(bounds, axis=0))
    return DurationRatio(
        estimate=exp(low) if low == high else None,
        low=_unbounded_exp(float(np.quantile(lows, alpha / 2, method="lower"))),
        high=_unbounded_exp(float(np.quantile(highs, 1 - alpha / 2, method="higher"))),
        pairs=len(pairs),
        missed=sum(not ours.reached for ours, _ in pairs),
        reference_missed=sum(not theirs.reached for _, theirs in pairs),
        both_missed=len(given) - len(pairs),
    )


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
    """The probability that ``arm`` takes fewer steps than ``reference`` on a new seed; None is a
    miss, longer than any hit, and ties count half.

    The measure is Bouthillier et al.'s (2021). Its interval is Clopper and Pearson's exact one
    instead of their bootstrap, which after five wins of five would be certain of the sixth. Raises
    ValueError as ``duration_ratio`` does.
    """
    _check_pairs(len(arm), len(reference))
    ours, theirs = _misses_as_infinite(arm), _misses_as_infinite(reference)
    won = [(a < b) + (a == b) / 2 for a, b in zip(ours, theirs, strict=True)]
    return Interval(sum(won) / len(won), *binomial_interval(sum(won), len(won), alpha))


def _log_bounds(ours: Duration, theirs: Duration) -> tuple[float, float]:
    """Between which logarithms the ratio of two durations lies."""
    known = _log(ours.value) - _log(theirs.value)
    bound = known if isfinite(known) else None
    low = bound if theirs.reached else None
    high = bound if ours.reached else None
    return (-inf if low is None else low), (inf if high is None else high)


def _log(value: float) -> float:
    return log(value) if value > 0 else -inf


def _misses_as_infinite(values: Sequence[float | None]) -> list[float]:
    return [inf if value is None else value for value in values]


def _unbounded_exp(value: float) -> float:
    return exp(value) if abs(value) <= LARGEST_LOG else inf if value > 0 else 0.0


def _check_pairs(count: int, others: int) -> None:
    if count != others or not count:
        raise ValueError(
            f"arms are paired by seed, and {count} and {others} seeds were given; "
            "give each the same seeds, at least one"
        )
