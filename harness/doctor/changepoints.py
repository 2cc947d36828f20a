"""Whether a series of readings stays on one level, moves between two that last, or drifts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby, pairwise
from math import exp, log, sqrt
from statistics import fmean, median

# relative difference of two levels, or change by a drift, that no margin worth testing hides
APART = 0.15
LEAST_READINGS = 12
# readings in a running median: it takes away spikes of up to two, and keeps what lasts for three
SMOOTHED = 5
# Of the variance of logarithms that two levels must explain. The best split of a normal
# distribution explains 2 / pi, of a uniform one, which a steady drift gives, 3 / 4.
EXPLAINED = 0.8
CHANCE = -3.0  # standard deviations below the number of runs that independent readings would have
LEAST_SHARE = 0.05  # of the time; a state that is rarer is an event
STRAIGHT = 0.5  # of the variance of logarithms that a line must explain to be called a drift


@dataclass(frozen=True)
class Level:
    """A value that lasts: the median of its readings, its share of the time, and how often and how
    long it was stayed on.

    ``seconds`` is a mean that counts the first and the last stay as far as they were seen, so with
    few it is too short.
    """

    value: float
    share: float
    seconds: float
    stays: int


@dataclass(frozen=True)
class Course:
    """One level or two, lowest first; and the relative change from beginning to end where it is a
    drift, else 0.
    """

    levels: tuple[Level, ...]
    drift: float = 0.0


def course(times: Sequence[float], values: Sequence[float]) -> Course:
    """How positive readings went, given when each was taken, in seconds and in order.

    They have two levels where a best split (Otsu 1979, "A threshold selection method from
    gray-level histograms") explains them, the levels are ``APART``, and there are fewer runs than
    chance gives (Wald and Wolfowitz 1940). Raises ValueError for no readings, or for as many times
    as there are not values.
    """
    if not values or len(times) != len(values):
        raise ValueError(
            f"{len(values)} readings at {len(times)} times have no course; at least 1, and a time "
            "for each"
        )
    lasted = _lasted(times)
    one = _level([True] * len(values), values, lasted, of=True)
    if len(values) < LEAST_READINGS:
        return Course((one,))
    logs = _smoothed([log(value) for value in values])
    threshold, explained = split(logs)
    by_chance = runs_score([log(value) >= threshold for value in values]) > CHANCE
    if explained < EXPLAINED or by_chance:
        return Course((one,), _drift(times, logs))
    low, high = (
        _level([value >= threshold for value in logs], values, lasted, of=of)
        for of in (False, True)
    )
    if high.value < low.value * (1 + APART) or min(low.share, high.share) < LEAST_SHARE:
        return Course((one,), _drift(times, logs))
    return Course((low, high))


def split(values: Sequence[float]) -> tuple[float, float]:
    """The middle of the gap between two classes, and the share of the variance that lies between
    them, at its most.
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
    """By how many standard deviations there are more runs than independent marks would have; 0
    where all are alike.
    """
    count, marked = len(marks), sum(marks)
    twice = 2 * marked * (count - marked)
    variance = twice * (twice - count) / (count**2 * (count - 1)) if count > 1 else 0.0
    runs = 1 + sum(one != other for one, other in pairwise(marks))
    return (runs - 1 - twice / count) / sqrt(variance) if variance > 0 else 0.0


def _level(
    marks: Sequence[bool], values: Sequence[float], lasted: Sequence[float], *, of: bool
) -> Level:
    mine = [index for index, mark in enumerate(marks) if mark == of]
    seconds = sum(lasted[index] for index in mine)
    stays = sum(mark == of for mark, _ in groupby(marks))
    whole = sum(lasted)
    return Level(
        median(values[index] for index in mine),
        seconds / whole if whole else 1.0,
        seconds / stays,
        stays,
    )


def _lasted(times: Sequence[float]) -> list[float]:
    """Until when a reading stands: the next one, and the last one as long as is usual."""
    gaps = [after - before for before, after in pairwise(times)]
    return [*gaps, median(gaps) if gaps else 0.0]


def _smoothed(values: Sequence[float]) -> list[float]:
    reach = SMOOTHED // 2
    return [
        median(values[max(0, index - reach) : index + reach + 1]) for index in range(len(values))
    ]


def _drift(times: Sequence[float], logs: Sequence[float]) -> float:
    """The relative change along the line of least squares, where that is a fair picture and a
    change worth telling.
    """
    mean, middle = fmean(logs), fmean(times)
    spread, total = (
        sum((time - middle) ** 2 for time in times),
        sum((value - mean) ** 2 for value in logs),
    )
    if not spread or not total:
        return 0.0
    slope = (
        sum((time - middle) * (value - mean) for time, value in zip(times, logs, strict=True))
        / spread
    )
    change = exp(slope * (times[-1] - times[0])) - 1
    straight = slope**2 * spread / total > STRAIGHT
    return change if straight and abs(log(1 + change)) > log(1 + APART) else 0.0
