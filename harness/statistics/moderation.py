"""What the noise of other cells tells about the noise of one: a variance moderated by a prior.

A few launches estimate their own variance badly, and a session has many cells whose noise is alike.
So a variance is taken to be s0² · d0 / chi²(d0), with s0² and d0 from the other cells, and what a
cell's own launches say is added to that (Smyth 2004, "Linear models and empirical Bayes methods for
assessing differential expression", Statistical Applications in Genetics and Molecular Biology 3):

    moderated variance   (d0 · s0² + d · s²) / (d0 + d)
    of which the t has   d0 + d degrees of freedom
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log
from statistics import fmean, median, stdev
from typing import Any

from harness.statistics.special_functions import variance_ratio_beyond

LEAST_LAUNCHES = 2
# of a prior beside a hypervariable row; between them the bound is sought
LEAST_FREEDOM, LARGEST_FREEDOM = 1e-3, 1e6
HALVINGS = 50
# How many rows are expected as far out as one that begins to count as hypervariable. With the half
# expected beyond the farthest (Phipson's), too many ordinary rows of two or three launches would.
SURPRISING = 0.1


@dataclass(frozen=True)
class LaunchVariance:
    """The variance of one arm's log-ratios from launch to launch, with its degrees of freedom.

    ``cell`` is that of the arms which share the baseline's launches. ``covariates`` are what noise
    may go with, the same ones in the same order for all rows; None where one is not known.
    """

    variance: float
    freedom: float
    cell: str
    covariates: tuple[float | None, ...] = ()


@dataclass(frozen=True)
class VariancePrior:
    """What a variance is expected to be: ``variance``, known as surely as from ``freedom`` degrees
    of freedom. It comes from ``rows`` others.
    """

    variance: float
    freedom: float
    rows: int = 1

    def posterior(self, variance: float, freedom: float) -> tuple[float, float]:
        """The moderated variance, and its degrees of freedom.

        Where the launches' own variance is far beyond what the prior expects even of the largest in
        so many rows, the prior counts for less, down to nothing (Phipson, Lee, Majewski, Alexander
        and Smyth 2016, "Robust hyperparameter estimation protects against hypervariable genes",
        Annals of Applied Statistics 10).
        """
        own = self.freedom_beside(variance, freedom)
        return (own * self.variance + freedom * variance) / (own + freedom), own + freedom

    def freedom_beside(self, variance: float, freedom: float) -> float:
        """The prior's degrees of freedom for a row of this variance."""
        ratio = variance / self.variance
        ordinary = min(1.0, float(ordinariness(ratio, freedom, self.freedom, self.rows)))
        if ordinary >= 1:
            return self.freedom
        least = _median_freedom(ratio, freedom, self.freedom)
        return ordinary * self.freedom + (1 - ordinary) * least


def ordinariness(ratio: Any, freedom: Any, prior_freedom: float, rows: int) -> Any:
    """From 1 on, where that the farthest of so many rows has this ``ratio`` of variances is no
    surprise; towards 0 the less it is to be expected. Numbers or arrays.
    """
    return rows * variance_ratio_beyond(ratio, freedom, prior_freedom) / SURPRISING


def launch_variance(
    by_launch: Sequence[Sequence[float]],
    pilot: int | None,
    cell: str,
    *,
    size: float,
    separate: bool,
) -> LaunchVariance | None:
    """The row of one arm in one cell, from its log-ratios by launch and block.

    Where the pilot decided on the number of launches its variance alone counts, as in `interval`.
    The covariates are the logarithm of the cell's ``size`` in bytes, whether the arm has a process
    of its own, and the logarithm of the spread of blocks within a launch. None for fewer than two
    launches.
    """
    pilots = [median(blocks) for blocks in by_launch[:pilot]]
    if len(pilots) < LEAST_LAUNCHES:
        return None
    covariates = log(size), float(separate), _log_spread(by_launch)
    return LaunchVariance(stdev(pilots) ** 2, len(pilots) - 1, cell, covariates)


def _log_spread(by_launch: Sequence[Sequence[float]]) -> float | None:
    """Of the standard deviation within a launch; None where blocks do not differ, or one is all."""
    freedom = sum(len(blocks) - 1 for blocks in by_launch)
    squares = sum(sum((value - fmean(own)) ** 2 for value in own) for own in by_launch)
    return log(squares / freedom) / 2 if squares else None


def _median_freedom(ratio: float, freedom: float, most: float) -> float:
    """The degrees of freedom of a prior to which such a ratio would be no more than a median one,
    up to ``most``.
    """
    low, high = log(LEAST_FREEDOM), log(min(most, LARGEST_FREEDOM))
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if variance_ratio_beyond(ratio, freedom, exp(middle)) > 1 / 2:
            low = middle
        else:
            high = middle
    return exp(low)
