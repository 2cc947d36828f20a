"""The prior of launches' variances, fitted to those of many cells and arms.

By moments of the logarithms of the variances (Smyth 2004), which are scattered about their trend by
as much as s² scatters and by what the variances themselves differ: trigamma(d/2) + trigamma(d0/2).
Three departures, since a session has tens of rows where genes come in thousands:

    d0 is cautious   from a scatter that is a standard error larger than what was found, and never
                     above the degrees of freedom that the fit rests on; arms of a cell share the
                     baseline's launches, so that those of each cell are counted once
    the trend        is linear and a ridge's: with few rows little is left of it but the mean
    the same row     is never among those of its own prior: see `priors`
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp, inf, isinf, sqrt
from statistics import median
from typing import TYPE_CHECKING

from harness.statistics.moderation import LaunchVariance, VariancePrior, ordinariness
from harness.statistics.special_functions import special, trigamma_inverse

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

# That a prior is fitted to: one cell cannot tell how cells differ.
LEAST_CELLS = 2
# A variance of 0, as rounding makes it, has no logarithm. The bound is limma's.
LEAST_OF_MEDIAN = 1e-5
# How much the logarithm of a variance changes with one standard deviation of a covariate: a normal
# prior's standard deviation, and the ridge's penalty. Log-variances differ by about 1.
SLOPE = 0.5
STANDARD_ERRORS = 1.0
# Of the rows, the most variable ones: the first fit, if it had them, would find them ordinary.
LEFT_OUT_AT_FIRST = 0.1
ROUNDS, LIKELIHOOD_STEPS, SETTLED = 10, 50, 1e-3


@dataclass(frozen=True)
class Trend:
    """A logarithm that is linear in the covariates, between the values that were met. An unknown
    covariate counts as its mean.
    """

    mean: float
    centres: tuple[float, ...]
    slopes: tuple[float, ...]
    ranges: tuple[tuple[float, float], ...]

    def at(self, covariates: Sequence[float | None]) -> float:
        met = [
            centre if value is None else min(max(value, low), high)
            for value, centre, (low, high) in zip(
                covariates, self.centres, self.ranges, strict=True
            )
        ]
        steps = (
            slope * (value - centre)
            for value, centre, slope in zip(met, self.centres, self.slopes, strict=True)
        )
        return self.mean + sum(steps)


@dataclass(frozen=True)
class Prior:
    """What to expect of a row's variance: exp(``trend``), as from ``freedom`` degrees of freedom.

    ``fitted_freedom`` is Smyth's d0, infinite where variances differ by no more than chance;
    ``freedom`` is the cautious one that is used.
    """

    trend: Trend
    freedom: float
    fitted_freedom: float
    rows: int
    cells: int

    def of(self, covariates: Sequence[float | None]) -> VariancePrior:
        """For a row with these covariates."""
        return VariancePrior(exp(self.trend.at(covariates)), self.freedom, self.rows)


def fit_prior(rows: Sequence[LaunchVariance]) -> Prior | None:
    """The prior of variances like these; None where they are of fewer than `LEAST_CELLS` cells, or
    none of them is above 0.
    """
    least = LEAST_OF_MEDIAN * median(row.variance for row in rows) if rows else 0.0
    cells = {row.cell for row in rows}
    if len(cells) < LEAST_CELLS or not least > 0:
        return None
    return _Fit([replace(row, variance=max(row.variance, least)) for row in rows]).prior()


def priors(rows: Sequence[LaunchVariance]) -> dict[str, Prior | None]:
    """By cell, the prior that its rows are moderated by: fitted to all rows of other cells.

    A row that was among those of its own prior would count twice, and an outlying one would vouch
    for itself. Of the arms in a cell one tells about the others, by the baseline that they share.
    """
    by_cell: dict[str, list[LaunchVariance]] = {}
    for row in rows:
        by_cell.setdefault(row.cell, []).append(row)
    return {cell: fit_prior([row for row in rows if row.cell != cell]) for cell in by_cell}


@dataclass(frozen=True)
class _Moments:
    """How much logarithms of variances are scattered beyond what launches explain, as found and as
    cautiously assumed; and the coefficients of their mean trend.
    """

    excess: float
    cautious: float
    coefficients: NDArray[float64]


class _Fit:
    """Rows as arrays: logarithms of variances, unbiased whatever their degrees of freedom, with
    their own scatter, and covariates in standard deviations.
    """

    def __init__(self, rows: Sequence[LaunchVariance]) -> None:
        import numpy as np

        self.rows, self.cells = rows, len({row.cell for row in rows})
        self.variances = np.array([row.variance for row in rows])
        self.freedoms = np.array([row.freedom for row in rows])
        half = self.freedoms / 2
        self.logs = np.log(self.variances) - special().digamma(half) + np.log(half)
        self.scatter = special().polygamma(1, half)
        self._standardise(np.array([row.covariates for row in rows], dtype=float))

    def prior(self) -> Prior:
        """Fitted again and again, each time with less weight for rows that lie too far out."""
        import numpy as np

        weights, excess = self._first_weights(), 0.0
        for _ in range(ROUNDS):
            found = self._moments(weights, excess)
            excess, freedom = max(0.0, found.excess), _freedom(found.excess)
            expected = self._expected(found.coefficients, freedom, weights)
            ratios = self.variances / expected
            ordinary = ordinariness(ratios, self.freedoms, freedom, len(self.rows))
            before, weights = weights, np.minimum(1, ordinary)
            if np.abs(weights - before).max() < SETTLED:
                break
        return Prior(
            self._trend(found.coefficients, expected),
            min(_freedom(found.cautious), self._known_freedom()),
            freedom,
            len(self.rows),
            self.cells,
        )

    def _standardise(self, covariates: NDArray[float64]) -> None:
        """What is unknown becomes the mean, and what is the same everywhere explains nothing."""
        import numpy as np

        known = np.isfinite(covariates)
        self.centres = np.where(known, covariates, 0).sum(0) / np.maximum(known.sum(0), 1)
        apart = np.where(known, covariates - self.centres, 0)
        deviations = np.sqrt((apart**2).mean(0))
        self.deviations = np.where(deviations > 0, deviations, 1)
        self.design = np.column_stack([np.ones(len(self.rows)), apart / self.deviations])
        filled = apart + self.centres
        self.ranges = tuple(zip(filled.min(0).tolist(), filled.max(0).tolist(), strict=True))

    def _first_weights(self) -> NDArray[float64]:
        import numpy as np

        out = round(LEFT_OUT_AT_FIRST * len(self.rows))
        most_ordinary = np.sort(self.logs)[len(self.rows) - out - 1]
        return np.where(self.logs > most_ordinary, 0.0, 1.0)

    def _moments(self, weights: NDArray[float64], excess: float) -> _Moments:
        """By a ridge regression on the covariates, whose penalty spares the mean."""
        import numpy as np

        weighted = self.design.T * (weights / (self.scatter + excess))
        information = weighted @ self.design
        penalty = np.diag([0.0, *[SLOPE**-2] * (self.design.shape[1] - 1)])
        coefficients = np.linalg.solve(information + penalty, weighted @ self.logs)
        parameters = float(np.trace(np.linalg.solve(information + penalty, information)))
        residuals = self.logs - self.design @ coefficients
        freedom = max(float(weights.sum()) - parameters, 1.0)
        square = float((weights * residuals**2).sum()) / freedom
        own = float((weights * self.scatter).sum() / weights.sum())
        error = STANDARD_ERRORS * square * sqrt(2 / (self.cells - 1))
        return _Moments(square - own, square + error - own, coefficients)

    def _expected(
        self, coefficients: NDArray[float64], freedom: float, weights: NDArray[float64]
    ) -> NDArray[float64]:
        """Each row's s0²: along the trend, at the height that is the likeliest for this d0, where
        the mean of logarithms would waste half of what single degrees of freedom tell. For an
        infinite d0 that is the pooled variance.
        """
        import numpy as np

        expected = np.exp(self.design @ coefficients)
        known = weights * self.freedoms
        for _ in range(LIKELIHOOD_STEPS):
            ratios = self.variances / expected
            share = 0.0 if isinf(freedom) else 1 / freedom
            damped = ratios * (1 + self.freedoms * share) / (1 + self.freedoms * ratios * share)
            factor = float((known * damped).sum() / known.sum())
            expected = expected * factor
            if abs(factor - 1) < SETTLED:
                break
        return expected

    def _trend(self, coefficients: NDArray[float64], expected: NDArray[float64]) -> Trend:
        import numpy as np

        mean = float((np.log(expected) - self.design[:, 1:] @ coefficients[1:]).mean())
        slopes = coefficients[1:] / self.deviations
        return Trend(mean, tuple(self.centres.tolist()), tuple(slopes.tolist()), self.ranges)

    def _known_freedom(self) -> float:
        """What the fit rests on: of each cell the degrees of freedom of one arm."""
        by_cell: dict[str, float] = {}
        for row in self.rows:
            by_cell[row.cell] = max(row.freedom, by_cell.get(row.cell, 0.0))
        return sum(by_cell.values())


def _freedom(excess: float) -> float:
    """Smyth's d0, for what log-variances are scattered beyond their own error."""
    return 2 * trigamma_inverse(excess) if excess > 0 else inf
