"""How far a logarithmic axis reaches, and which of its values are labelled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import ceil, exp, floor, log, log10
from statistics import quantiles
from typing import NamedTuple

LEAST_CELLS = 4  # of an arm, before one of them can be far from the others
REACH = log(2)  # at least, beyond the quartiles of an arm's cells
BOUNDS = 1 / 4  # of an axis's length by which intervals may make it longer at either end
PADDING = 0.04  # of an axis's length, at either end
MOST_LABELS = 8
LABELLED = ((1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,))  # digits, from dense to sparse


class Range(NamedTuple):
    """From where to where an axis shows values."""

    low: float
    high: float

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high

    def nearest(self, value: float) -> float:
        """The value, or the end that it lies beyond."""
        return min(max(value, self.low), self.high)


def readable_range(
    estimates: Mapping[str, Sequence[float]],
    bounds: Iterable[float],
    always: Sequence[float],
    most: float,
) -> Range:
    """What an axis has to show: ``always``, and each arm's ``estimates`` over its cells.

    An estimate far from those of the same arm in other cells (Tukey 1977: by 1.5 times the distance
    of the quartiles) does not stretch it, ``bounds`` of intervals do so only a little, and the high
    end is at most ``most`` times the low one: of a wider range the end nearer to ``always`` is
    shown.
    """
    usual = [value for own in estimates.values() for value in _usual(list(map(log, own)))]
    kept = list(map(log, always))
    low, high = min([*usual, *kept]), max([*usual, *kept])
    room = BOUNDS * (high - low)
    ends = [log(bound) for bound in bounds if 0 < bound < float("inf")]
    low, high = max(low - room, min([low, *ends])), min(high + room, max([high, *ends]))
    longest = max(log(most), max(kept) - min(kept))
    low, high = max(low, max(kept) - longest), min(high, min(kept) + longest)
    if high - low > longest:
        nearer_low = min(kept) - low < high - max(kept)
        low, high = (low, low + longest) if nearer_low else (high - longest, high)
    padding = PADDING * (high - low) or REACH
    return Range(exp(low - padding), exp(high + padding))


def labelled_values(low: float, high: float) -> list[float]:
    """Round numbers between the two: as many as can be, up to ``MOST_LABELS``, and two at least
    wherever there are so many.
    """
    decades = range(floor(log10(low)), ceil(log10(high)) + 1)
    for digits in LABELLED:
        found = [digit * 10.0**decade for decade in decades for digit in digits]
        found = [value for value in found if low <= value <= high]
        if len(found) <= MOST_LABELS:
            break
    else:
        found = found[:: ceil(len(found) / MOST_LABELS)]
    return found if len(found) > 2 else _evenly_spaced(low, high)


def _usual(logs: Sequence[float]) -> list[float]:
    if len(logs) < LEAST_CELLS:
        return list(logs)
    lower, _, upper = quantiles(logs, n=4, method="inclusive")
    reach = max(1.5 * (upper - lower), REACH)
    return [value for value in logs if lower - reach <= value <= upper + reach]


def _evenly_spaced(low: float, high: float) -> list[float]:
    """Multiples of the round step of which some four to eight lie between the two."""
    rough = (high - low) / 4
    decade = 10.0 ** floor(log10(rough))
    step = max(digit * decade for digit in (1, 2, 5) if digit * decade <= rough)
    places = max(0, -floor(log10(step)))
    return [
        round(count * step, places) for count in range(ceil(low / step), floor(high / step) + 1)
    ]
