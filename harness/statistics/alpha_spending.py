"""How much of an error rate each of several looks at growing data may use.

A test that is repeated after every launch at its full level finds, in the end, what is not there.
So the level is spent bit by bit (Lan and DeMets 1983, "Discrete sequential boundaries for clinical
trials", Biometrika 70): by the time a share of the launches is made, that share to the power `RHO`
is spent (Kim and DeMets 1987, Biometrika 74). Neither the number of looks nor their times need be
known beforehand, and a last look may spend what is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import inf, sqrt
from typing import TYPE_CHECKING

from harness.statistics.special_functions import special

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

# Chosen by power, for pilots of three launches: `tests/experiments/gate_error_rates.py`.
RHO = 1.0
# The density of the sum is held on so many points, from so many of its standard deviations on.
POINTS, LOWEST = 400, -7.0
HALVINGS = 60


def spent_share(launches: int, most: int) -> float:
    """Of the level, what may be spent by the time so many launches of at most ``most`` are made."""
    return float(min(1.0, launches / most) ** RHO)


def nominal_levels(
    level: float, launches: Sequence[int], shares: Sequence[float]
) -> tuple[float, ...]:
    """The one-sided level of each look, such that with probability ``level`` at most any of them
    finds what is not there. After look k, with ``launches[k]`` made, ``shares[k]`` of the level is
    spent; both grow.

    Exact for normal launches whose variance is known. Where it is estimated the same nominal levels
    are taken of Student's t, as Jennison and Turnbull do (2000, "Group sequential methods", 4.4).
    Raises ValueError where launches do not grow, or shares shrink or leave 0 to 1.
    """
    _check(level, launches, shares)
    return _nominal_levels(level, tuple(launches), tuple(shares))


@lru_cache(maxsize=4096)
def _nominal_levels(
    level: float, launches: tuple[int, ...], shares: tuple[float, ...]
) -> tuple[float, ...]:
    """The sum of k launches, each of variance 1, is normal of variance k; its density is carried
    from look to look, less what lies beyond the boundary.
    """
    import numpy as np

    levels, before, spent = [], 0, 0.0
    points, density = np.zeros(1), np.ones(1)  # times the width of a point: probabilities
    for count, share in zip(launches, shares, strict=True):
        step = sqrt(count - before)
        boundary = _boundary(points, density, step, level * share - spent)
        levels.append(float(special().ndtr(-boundary / sqrt(count))))
        points, density = _carried(points, density, step, count, boundary)
        before, spent = count, level * share
    return tuple(levels)


def _boundary(
    points: NDArray[float64], density: NDArray[float64], step: float, allowed: float
) -> float:
    """What the sum exceeds with the ``allowed`` probability, by bisection."""
    if allowed <= 0:
        return inf
    low, high = float(points[0]) - 40 * step, float(points[-1]) + 40 * step
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        beyond = float(density @ special().ndtr((points - middle) / step))
        low, high = (middle, high) if beyond > allowed else (low, middle)
    return high


def _carried(
    points: NDArray[float64], density: NDArray[float64], step: float, count: int, boundary: float
) -> tuple[NDArray[float64], NDArray[float64]]:
    """The sum's density below the boundary, after one more step: trapezoids on even points."""
    import numpy as np

    end = min(boundary, -LOWEST * sqrt(count))
    grid = np.linspace(LOWEST * sqrt(count), end, POINTS)
    weights = np.full(POINTS, grid[1] - grid[0])
    weights[[0, -1]] /= 2
    distances = (grid[:, None] - points[None, :]) / step
    heights = np.exp(-(distances**2) / 2) @ density / (step * sqrt(2 * np.pi))
    return grid, heights * weights


def _check(level: float, launches: Sequence[int], shares: Sequence[float]) -> None:
    grows = all(a < b for a, b in zip([0, *launches], launches, strict=False))
    spends = all(a <= b for a, b in zip([0.0, *shares], [*shares, 1.0], strict=True))
    if not (0 < level < 1 and grows and spends):
        raise ValueError(
            f"a level of {level} cannot be spent in shares {list(shares)} after {list(launches)} "
            "launches; give a level between 0 and 1, numbers of launches that grow, and shares of "
            "0 to 1 that do not shrink"
        )
