"""The noise of a gate's cells: moderated by each other, and told by the canary too."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import chain
from math import fsum, sqrt

from harness.statistics.moderation import LEAST_LAUNCHES, LaunchVariance, VariancePrior
from harness.statistics.prior_fit import Prior, fit_prior
from harness.statistics.student import Estimate

GROUPS = 5  # of cells: the prior of each is fitted to the others, which takes so many fits a look


@dataclass(frozen=True)
class CellLaunches:
    """What a gate has measured in one cell: log-ratios of head over base, one a launch.

    ``canary`` are those of the base to itself, where it ran twice as the head runs: they tell of
    noise only. ``covariates`` as in `LaunchVariance`, the same ones for all cells.
    """

    cell: str
    log_ratios: tuple[float, ...]
    canary: tuple[float, ...] = ()
    covariates: tuple[float | None, ...] = ()


def open_priors(
    cells: Sequence[CellLaunches], decided: Collection[str]
) -> dict[str, VariancePrior | None]:
    """What to expect of the noise of each cell that is open: fitted to the cells of other groups,
    so that no cell vouches for itself.
    """
    rows = {one.cell: _rows(one) for one in cells}
    found: dict[str, VariancePrior | None] = {}
    for start in range(min(GROUPS, len(cells))):
        group = {one.cell: one for one in cells[start::GROUPS]}
        wanted = group.keys() - decided
        if wanted:
            others = [rows[one.cell] for one in cells if one.cell not in group]
            prior = fit_prior(list(chain.from_iterable(others)))
            found |= {cell: _prior_of(prior, group[cell]) for cell in wanted}
    return found


def _prior_of(prior: Prior | None, cell: CellLaunches) -> VariancePrior | None:
    return None if prior is None else prior.of(cell.covariates)


def _rows(cell: CellLaunches) -> list[LaunchVariance]:
    arms = [values for values in (cell.log_ratios, cell.canary) if len(values) >= LEAST_LAUNCHES]
    return [
        LaunchVariance(variance(values), len(values) - 1, cell.cell, cell.covariates)
        for values in arms
    ]


def variance(values: Sequence[float]) -> float:
    """In floats: the exact one of `statistics` takes longer than all else here together."""
    middle = mean(values)
    return fsum((value - middle) ** 2 for value in values) / (len(values) - 1)


def mean(values: Sequence[float]) -> float:
    return fsum(values) / len(values)


def moderated_mean(
    log_ratios: Sequence[float], own: float, prior: VariancePrior | None
) -> Estimate:
    """Their mean, with the moderated form of this variance."""
    count = len(log_ratios)
    freedom = float(count - 1)
    if prior is not None:
        own, freedom = prior.posterior(own, freedom)
    return Estimate(mean(log_ratios), sqrt(own / count), freedom)


def noisier_variance(cell: CellLaunches, own: float) -> float:
    """The variance of head or canary, whichever is larger: where three launches of one look quiet
    by chance, those of the other seldom do.
    """
    return max(own, variance(cell.canary)) if len(cell.canary) >= LEAST_LAUNCHES else own
