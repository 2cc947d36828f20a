"""Pure functions of samples: what they say about a ratio of times, and how surely.

The datum is a log-ratio of times per call, arm over baseline, paired by block. The unit of replication is the launch,
because two launches of the same code differ by more than their blocks do: a launch gives one number, the median over
its blocks, and intervals are Student's t on those. Ratios are of times, so below 1 the arm is the faster one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from math import exp, hypot, inf, log, log1p, sqrt
from statistics import fmean, median, stdev
from typing import Any

from harness.records import Interval, Verdict

Sample = Mapping[str, Any]
"""One timed group of calls: ``launch``, ``block``, ``calls``, and the whole group's ``seconds``."""

LEAST_LAUNCHES = 2
LARGEST_LOG = 700.0  # exp of more is no float64: a hopelessly wide interval keeps bounds that JSON can hold
MISSED_LOG = 1e9  # stands for the infinite log-ratio of a miss, so that averages of opposite misses stay defined
RESAMPLES = 9999


def log_ratios(samples: Mapping[str, Sequence[Sample]], arm: str, baseline: str) -> list[float]:
    """One log-ratio of times per call, ``arm`` over ``baseline``, for each launch in which both share a block."""
    ours, theirs = _per_call(samples[arm]), _per_call(samples[baseline])
    launches = defaultdict(list)
    for launch, block in ours:
        if (launch, block) in theirs:
            launches[launch].append(log(ours[launch, block] / theirs[launch, block]))
    return [median(blocks) for blocks in launches.values()]


def median_seconds(samples: Sequence[Sample]) -> float:
    """Seconds per call of one arm: the median over launches of the median over blocks."""
    launches = defaultdict(list)
    for (launch, _), seconds in _per_call(samples).items():
        launches[launch].append(seconds)
    return median(median(blocks) for blocks in launches.values())


def interval(log_ratios: Sequence[float], alpha: float) -> Interval:
    """The ratio with its 1 - ``alpha`` confidence interval. Raises ValueError for fewer than two launches."""
    mean, error = _mean_and_error(log_ratios)
    return _interval(mean, _t_quantile(1 - alpha / 2, len(log_ratios) - 1) * error)


def welch(log_ratios_a: Sequence[float], log_ratios_b: Sequence[float], alpha: float) -> Interval:
    """The ratio of one session's ratio to the baseline to another's, a over b, by Welch's unequal variances.

    Raises ValueError for fewer than two launches in either.
    """
    (mean_a, error_a), (mean_b, error_b) = _mean_and_error(log_ratios_a), _mean_and_error(log_ratios_b)
    error = hypot(error_a, error_b)
    if not error:
        return _interval(mean_a - mean_b, 0.0)
    share = (error_a / error) ** 2
    freedom = 1 / (share**2 / (len(log_ratios_a) - 1) + (1 - share) ** 2 / (len(log_ratios_b) - 1))
    return _interval(mean_a - mean_b, _t_quantile(1 - alpha / 2, freedom) * error)


def verdict(interval: Interval, margin: float) -> Verdict:
    """What an interval of a ratio of times says, given the relative ``margin`` below which nobody cares."""
    low, high = 1 / (1 + margin), 1 + margin
    if interval.high < low:
        return Verdict.FASTER
    if interval.low > high:
        return Verdict.SLOWER
    return Verdict.SAME if low <= interval.low and interval.high <= high else Verdict.AMBIGUOUS


def minimum_detectable_effect(log_ratios: Sequence[float], alpha: float, margin: float, power: float = 0.8) -> float:
    """The least relative slow-down that as many launches, as noisy, would find SLOWER with probability ``power``.

    An interval must clear the margin, so this is the margin and, beyond it, the non-centrality of the t test times the
    standard error. Raises ValueError for fewer than two launches.
    """
    _, error = _mean_and_error(log_ratios)
    freedom = len(log_ratios) - 1
    noncentrality = float(_special().nctdtrinc(freedom, 1 - power, _t_quantile(1 - alpha / 2, freedom)))
    return _exp(log1p(margin) + noncentrality * error) - 1


def geometric_mean(ratios: Iterable[float]) -> float:
    """The mean of ratios, which no choice of baseline turns around. Raises ValueError where there are none."""
    return exp(fmean(map(log, ratios)))


def step_ratio(
    arm: Sequence[float | None], reference: Sequence[float | None], alpha: float, seed: int = 0,
) -> Interval:
    """The median over paired seeds of steps to a target, ``arm`` over ``reference``; percentile bootstrap over pairs.

    None is a miss and counts as infinitely long, so that bounds may be 0 or infinite; two misses are a tie. Resampling
    draws from ``seed``. Raises ValueError where nothing is paired or the numbers of seeds differ.
    """
    import numpy as np

    logs = np.array(_step_logs(arm, reference))
    drawn = np.random.default_rng(seed).integers(len(logs), size=(RESAMPLES, len(logs)))
    low, high = np.quantile(np.median(logs[drawn], axis=1), (alpha / 2, 1 - alpha / 2))
    return Interval(*(_unbounded_exp(float(value)) for value in (np.median(logs), low, high)))


def outperformance(arm: Sequence[float | None], reference: Sequence[float | None], alpha: float) -> Interval:
    """The probability that ``arm`` takes fewer steps than ``reference`` on a new seed; ties count half.

    The measure is Bouthillier et al.'s (2021). Its interval is Clopper and Pearson's exact one instead of their
    bootstrap, which after five wins of five would be certain of the sixth. Raises ValueError as ``step_ratio`` does.
    """
    logs = _step_logs(arm, reference)
    wins, pairs = sum((value < 0) + (value == 0) / 2 for value in logs), len(logs)
    beta_quantile = _special().betaincinv
    low = float(beta_quantile(wins, pairs - wins + 1, alpha / 2)) if wins else 0.0
    high = float(beta_quantile(wins + 1, pairs - wins, 1 - alpha / 2)) if wins < pairs else 1.0
    return Interval(wins / pairs, low, high)


def _per_call(samples: Iterable[Sample]) -> dict[tuple[Hashable, Hashable], float]:
    blocks = defaultdict(list)
    for sample in samples:
        blocks[sample["launch"], sample["block"]].append(sample["seconds"] / sample["calls"])
    return {place: median(seconds) for place, seconds in blocks.items()}


def _mean_and_error(log_ratios: Sequence[float]) -> tuple[float, float]:
    if len(log_ratios) < LEAST_LAUNCHES:
        raise ValueError(f"{len(log_ratios)} paired launches give no interval; at least {LEAST_LAUNCHES} are needed, "
                         "so raise task.launches or the budget")
    return fmean(log_ratios), stdev(log_ratios) / sqrt(len(log_ratios))


def _interval(mean: float, half_width: float) -> Interval:
    return Interval(_exp(mean), _exp(mean - half_width), _exp(mean + half_width))


def _exp(value: float) -> float:
    return exp(max(-LARGEST_LOG, min(LARGEST_LOG, value)))


def _unbounded_exp(value: float) -> float:
    return exp(value) if abs(value) <= LARGEST_LOG else inf if value > 0 else 0.0


def _step_logs(arm: Sequence[float | None], reference: Sequence[float | None]) -> list[float]:
    if len(arm) != len(reference) or not arm:
        raise ValueError(f"arms are paired by seed, and {len(arm)} and {len(reference)} seeds were given; "
                         "give each the same seeds, at least one")
    return list(map(_step_log, arm, reference))


def _step_log(ours: float | None, theirs: float | None) -> float:
    if ours == theirs:
        return 0.0
    return MISSED_LOG if ours is None else -MISSED_LOG if theirs is None else log(ours / theirs)


def _t_quantile(probability: float, freedom: float) -> float:
    return float(_special().stdtrit(freedom, probability))


def _special() -> Any:
    import scipy.special

    return scipy.special
