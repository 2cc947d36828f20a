"""Student's t, and the mean of launches with the error that it applies to."""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot, sqrt
from statistics import fmean, stdev
from typing import NamedTuple

from harness.statistics.moderation import LEAST_LAUNCHES, VariancePrior
from harness.statistics.special_functions import special


class Estimate(NamedTuple):
    """A mean log-ratio, its standard error, and the degrees of freedom that the error was estimated
    with.
    """

    mean: float
    error: float
    freedom: float

    def half_width(self, alpha: float) -> float:
        """Of the two-sided 1 - ``alpha`` interval around the mean."""
        return t_quantile(1 - alpha / 2, self.freedom) * self.error


def estimate(
    log_ratios: Sequence[float], pilot: int | None = None, prior: VariancePrior | None = None
) -> Estimate:
    """The mean over all launches; its error from the first ``pilot`` of them alone where there are
    more than those, moderated by the ``prior`` where one is given.

    Raises ValueError for fewer than two launches, or fewer than two in the pilot.
    """
    pilots = log_ratios[:pilot] if pilot is not None and pilot < len(log_ratios) else log_ratios
    if len(pilots) < LEAST_LAUNCHES:
        raise ValueError(
            f"{len(pilots)} paired launches give no interval; at least {LEAST_LAUNCHES} are "
            "needed, so raise task.launches or the budget"
        )
    deviation, freedom = stdev(pilots), float(len(pilots) - 1)
    if prior is not None:
        variance, freedom = prior.posterior(deviation**2, freedom)
        deviation = sqrt(variance)
    return Estimate(fmean(log_ratios), deviation / sqrt(len(log_ratios)), freedom)


def difference(
    a: Sequence[float],
    b: Sequence[float],
    pilots: tuple[int | None, int | None] = (None, None),
    priors: tuple[VariancePrior | None, VariancePrior | None] = (None, None),
) -> Estimate:
    """The mean of ``a`` less that of ``b``, with Welch's unequal variances and degrees of freedom;
    ``pilots`` and ``priors`` as `estimate`'s.

    Raises ValueError as that does.
    """
    ours, theirs = estimate(a, pilots[0], priors[0]), estimate(b, pilots[1], priors[1])
    error = hypot(ours.error, theirs.error)
    share = (ours.error / error) ** 2 if error else 1.0
    return Estimate(
        ours.mean - theirs.mean,
        error,
        1 / (share**2 / ours.freedom + (1 - share) ** 2 / theirs.freedom),
    )


def t_quantile(probability: float, freedom: float) -> float:
    """Where Student's t of so many degrees of freedom stays below with this probability."""
    return float(special().stdtrit(freedom, probability))


def t_beyond(value: float, freedom: float) -> float:
    """The probability that Student's t is above ``value``."""
    return float(special().stdtr(freedom, -value))


def t_two_sided(value: float, freedom: float) -> float:
    """The probability that Student's t is further from 0 than ``value``, which is not negative."""
    return 2 * t_beyond(value, freedom)


def t_noncentrality(alpha: float, freedom: float, power: float) -> float:
    """The non-centrality at which t exceeds the upper quantile of a two-sided test with probability
    ``power``.
    """
    return float(special().nctdtrinc(freedom, 1 - power, t_quantile(1 - alpha / 2, freedom)))
