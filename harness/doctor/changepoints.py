"""Whether a series of readings stays at one level, moves between two that last, or drifts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby, pairwise
from math import exp, log, sqrt
from statistics import fmean, median

# Relative difference of two levels, or change by a drift: large beside any margin worth testing.
APART = 0.15
LEAST_READINGS = 12
# Readings in a running median, which removes spikes of up to two and keeps what lasts for three.
SMOOTHED = 5
# Share of the variance of logarithms that two levels must explain. The best split of a normal
# distribution explains 2 / pi, that of a uniform one, which a steady drift gives, 3 / 4.
EXPLAINED = 0.8
CHANCE = -3.0  # standard deviations below the number of runs that independent readings would have
LEAST_SHARE = 0.05  # of the time; a level that is rarer is an event
STRAIGHT = 0.5  # share of the variance of logarithms that a line must explain to be a drift


@dataclass(frozen=True)
class SteadyLevel:
    """A value that lasts: the median of its readings, its share of the time, the number of stays
    at it and their mean length.

    The first and the last stay count as far as they were seen, so with few stays ``seconds`` is too
    short.
    """

    value: float
    share: float
    seconds: float
    stays: int


@dataclass(frozen=True)
class Course:
    """One level or two, lowest first. ``drift`` is the relative change from beginning to end, 0
    where there is none.
    """

    levels: tuple[SteadyLevel, ...]
    drift: float = 0.0


def course(times: Sequence[float], values: Sequence[float]) -> Course:
    """The course of positive readings; ``times`` are in seconds and ascending.

    There are two levels where the best split (Otsu 1979, "A threshold selection method from
    gray-level histograms") explains the variance, the levels are ``APART``, and the readings change
    sides less often than independent ones would (Wald and Wolfowitz 1940). Raises ValueError for no
    readings, or another number of times than of readings.
    """
    if not values or len(times) != len(values):
        raise ValueError(
            f"{len(values)} readings at {len(times)} times; needed: at least 1, and a time for each"
        )
    durations = _durations(times)
    one = _level([True] * len(values), values, durations, side=True)
    if len(values) < LEAST_READINGS:
        return Course((one,))
    logs = _smoothed([log(value) for value in values])
    threshold, explained = split(logs)
    by_chance = runs_score([log(value) >= threshold for value in values]) > CHANCE
    if explained < EXPLAINED or by_chance:
        return Course((one,), _drift(times, logs))
    sides = [value >= threshold for value in logs]
    low, high = (_level(sides, values, durations, side=side) for side in (False, True))
    if high.value < low.value * (1 + APART) or min(low.share, high.share) < LEAST_SHARE:
        return Course((one,), _drift(times, logs))
    return Course((low, high))


def split(values: Sequence[float]) -> tuple[float, float]:
    """The threshold of the best split into two classes, in the middle of the gap between them, and
    the share of the variance that it explains.
    """
    ordered, count = sorted(values), len(values)
    mean = fmean(ordered)
    total = sum((value - mean) ** 2 for value in ordered)
    best, threshold = 0.0, ordered[0]
    for below, running in enumerate(accumulate(ordered[:-1]), start=1):
        between = (running - below * mean) ** 2 * count / (below * (count - below))
        if between > best and ordered[below] > ordered[below - 1]:
            best, threshold = between, (ordered[below - 1] + ordered[below]) / 2
    return threshold, best / total if total else 0.0


def runs_score(marks: Sequence[bool]) -> float:
    """By how many standard deviations the runs of equal marks are more than independent marks would
    have; 0 where all marks are equal.
    """
    count, marked = len(marks), sum(marks)
    twice = 2 * marked * (count - marked)
    variance = twice * (twice - count) / (count**2 * (count - 1)) if count > 1 else 0.0
    runs = 1 + sum(one != other for one, other in pairwise(marks))
    return (runs - 1 - twice / count) / sqrt(variance) if variance > 0 else 0.0


def _level(
    sides: Sequence[bool], values: Sequence[float], durations: Sequence[float], *, side: bool
) -> SteadyLevel:
    """The level of the readings on one ``side`` of the threshold."""
    here = [index for index, other in enumerate(sides) if other == side]
    seconds = sum(durations[index] for index in here)
    stays = sum(other == side for other, _ in groupby(sides))
    whole = sum(durations)
    return SteadyLevel(
        median(values[index] for index in here),
        seconds / whole if whole else 1.0,
        seconds / stays,
        stays,
    )


def _durations(times: Sequence[float]) -> list[float]:
    """For how long each reading counts: until the next one, and the last one as long as is
    usual.
    """
    gaps = [after - before for before, after in pairwise(times)]
    return [*gaps, median(gaps) if gaps else 0.0]


def _smoothed(values: Sequence[float]) -> list[float]:
    reach = SMOOTHED // 2
    return [
        median(values[max(0, index - reach) : index + reach + 1]) for index in range(len(values))
    ]


def _drift(times: Sequence[float], logs: Sequence[float]) -> float:
    """The relative change along the line of least squares, where the line fits and the change is
    large, else 0.
    """
    mean, middle = fmean(logs), fmean(times)
    spread = sum((time - middle) ** 2 for time in times)
    total = sum((value - mean) ** 2 for value in logs)
    if not spread or not total:
        return 0.0
    products = [(time - middle) * (value - mean) for time, value in zip(times, logs, strict=True)]
    slope = sum(products) / spread
    change = exp(slope * (times[-1] - times[0])) - 1
    straight = slope**2 * spread / total > STRAIGHT
    return change if straight and abs(log(1 + change)) > log(1 + APART) else 0.0
