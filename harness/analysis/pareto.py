"""Which points none is better than."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Point(NamedTuple):
    """Of each the less the better."""

    error: float
    time: float


def pareto_front(points: Mapping[str, Point]) -> tuple[str, ...]:
    """The names of those that no other dominates: is as good in both, and better in one. By error,
    the least first.
    """
    names = [
        name
        for name, point in points.items()
        if not any(_dominates(other, point) for other in points.values())
    ]
    return tuple(sorted(names, key=points.__getitem__))


def _dominates(one: Point, other: Point) -> bool:
    return one != other and one.error <= other.error and one.time <= other.time
