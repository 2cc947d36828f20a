"""Confidence intervals of a ratio of times."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp

from harness.records import Interval
from harness.statistics.moderation import VariancePrior
from harness.statistics.student import Estimate, difference, estimate

# exp of more is no float64: a hopelessly wide interval keeps bounds that JSON can hold
LARGEST_LOG = 700.0


def interval(
    log_ratios: Sequence[float],
    alpha: float,
    pilot: int | None = None,
    prior: VariancePrior | None = None,
) -> Interval:
    """The ratio with its 1 - ``alpha`` confidence interval, from one log-ratio a launch.

    Where the variance of the first ``pilot`` launches decided how many there would be in all, it
    alone goes into the interval: mean of all ± t(1 - alpha/2, pilot - 1) · s of the pilot /
    sqrt(all). That is exact whatever number the variance led to (Stein 1945, "A two-sample test for
    a linear hypothesis whose power is independent of the variance", Annals of Mathematical
    Statistics 16), where the ordinary interval, which a pilot that happened to be quiet has cut
    short, is too narrow. With a ``prior`` that variance is moderated, and the interval is the
    moderated t's. Raises ValueError for fewer than two launches, or fewer than two in the pilot.
    """
    return _interval(estimate(log_ratios, pilot, prior), alpha)


def welch(
    log_ratios_a: Sequence[float],
    log_ratios_b: Sequence[float],
    alpha: float,
    pilots: tuple[int | None, int | None] = (None, None),
    priors: tuple[VariancePrior | None, VariancePrior | None] = (None, None),
) -> Interval:
    """The ratio of one session's ratio to the baseline to another's, a over b, by Welch's unequal
    variances.

    ``pilots`` and ``priors`` are those of ``interval``. Raises ValueError for fewer than two
    launches in either.
    """
    return _interval(difference(log_ratios_a, log_ratios_b, pilots, priors), alpha)


def bounded_exp(value: float) -> float:
    """The exponential, of finite values for every ``value``."""
    return exp(max(-LARGEST_LOG, min(LARGEST_LOG, value)))


def _interval(found: Estimate, alpha: float) -> Interval:
    half_width = found.half_width(alpha)
    return Interval(
        *map(bounded_exp, (found.mean, found.mean - half_width, found.mean + half_width))
    )
