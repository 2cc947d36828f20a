"""Noise that a gate may meet, made up: what launches of the same code differ by from each other.

Noise is a launch's, in base, head and canary alike; log-ratios are differences of these. It differs
from cell to cell, by `SPREAD` of its logarithm.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import sqrt
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness import statistics
from harness.gate.error_rates import Draw
from harness.gate.simulation import Launches
from harness.records import CANARY
from tests.experiments.recorded_launches import BASELINE, recorded_sessions

SPREAD = 0.5
OUTLYING, FARTHER = 0.05, 5.0  # of launches; times the noise
BUSY, BUSY_SHIFT = 0.1, 4.0  # of launches; times the noise, for all cells of the launch alike
TAILS = 3  # degrees of freedom of t, whose variance is the least that is finite
LEAST_RECORDED = 3
REPORTS = Path(__file__).parents[2] / "reports"
Noise = Callable[[np.random.Generator, int, int], NDArray[np.float64]]  # of base, canary and head


def normal(random: np.random.Generator, launches: int, cells: int) -> NDArray[np.float64]:
    return random.normal(size=(3, launches, cells))


def heavy_tails(random: np.random.Generator, launches: int, cells: int) -> NDArray[np.float64]:
    return random.standard_t(TAILS, size=(3, launches, cells)) / sqrt(TAILS / (TAILS - 2))


def outlying_launches(
    random: np.random.Generator, launches: int, cells: int
) -> NDArray[np.float64]:
    """Now and then one is off by far more than the others, and as often slow as quick."""
    far = random.random((3, launches, cells)) < OUTLYING
    return random.normal(size=far.shape) * np.where(far, FARTHER, 1)


def busy_core(random: np.random.Generator, launches: int, cells: int) -> NDArray[np.float64]:
    """Another process slows one arm, in all cells of a launch together."""
    busy = random.random((3, launches, 1)) < BUSY
    return random.normal(size=(3, launches, cells)) + busy * BUSY_SHIFT


NOISES: dict[str, Noise] = {
    "normal": normal,
    "heavy tails": heavy_tails,
    "outlying launches": outlying_launches,
    "busy core": busy_core,
}


def draws(noise: Noise, cells: int, deviation: float) -> Draw:
    """Launches with log-ratios of this standard deviation, by its median over cells. Each costs one
    second, so that budgets are launches a cell.
    """
    return partial(_drawn, noise, cells, deviation)


def _drawn(
    noise: Noise, cells: int, deviation: float, random: np.random.Generator, launches: int
) -> Launches:
    scale = deviation / sqrt(2) * np.exp(SPREAD * random.normal(size=cells))
    base, canary, head = scale * noise(random, launches, cells)
    return Launches(head - base, canary - base, (1.0,) * cells)


def recorded(cells: int) -> Draw:
    """Like launches of the committed sessions' baselines against themselves: each cell has the
    noise of one that was recorded, and its launches lie as far out, for that noise, as any of them
    did, on either side. The few launches of one cell alone would be drawn twice too often.
    """
    canaries = [np.array(values) for values in _recorded_canaries()]
    deviations = np.array([values.std(ddof=1) for values in canaries])
    distances = np.concatenate(
        [_distances(values) for values, one in zip(canaries, deviations, strict=True) if one]
    )

    def draw(random: np.random.Generator, launches: int) -> Launches:
        scale = random.choice(deviations, cells)
        head, canary = (scale * _signed(random, distances, launches, cells) for _ in range(2))
        return Launches(head, canary, (1.0,) * cells)

    return draw


def _distances(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """From the mean, in standard deviations of a launch; the mean of few lies near each of them."""
    count = len(values)
    distances: NDArray[np.float64] = values - values.mean()
    distances *= sqrt(count / (count - 1)) / float(values.std(ddof=1))
    return distances


def _signed(
    random: np.random.Generator, distances: NDArray[np.float64], launches: int, cells: int
) -> NDArray[np.float64]:
    size = launches, cells
    return np.asarray(random.choice(distances, size) * random.choice([-1, 1], size))


def _recorded_canaries() -> list[list[float]]:
    found = [
        statistics.log_ratios(cell, CANARY, BASELINE)
        for _, session in recorded_sessions()
        for cell in session
        if CANARY in cell
    ]
    return [values for values in found if len(values) >= LEAST_RECORDED]
