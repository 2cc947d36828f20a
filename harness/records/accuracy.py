"""How far an arm's results are from the exact ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final


@dataclass(frozen=True)
class QuantityError:
    """The error of one quantity against float64, over its elements.

    ``scale`` is the root mean square of the exact quantity. ``rms`` and ``largest``, the root mean
    square and the greatest size of the error, are relative to it; ``ulp`` is the greatest in units
    in the last place, at the scale, of the quantity's dtype.
    """

    rms: float
    largest: float
    ulp: float
    scale: float


@final
@dataclass(frozen=True)
class Accuracy:
    """The ``errors`` of what a call leaves, by the names of `Results`. ``channels`` is how many of
    the problem's they are over.

    ``flipped`` outputs are on the other side of ReLU than the exact ones: each of them has a wrong
    gradient.
    """

    channels: int
    errors: Mapping[str, QuantityError]
    flipped: int = 0

    @property
    def worst_quantity(self) -> str | None:
        """The quantity whose root mean square error is the greatest; None where there is none."""
        return max(self.errors, key=lambda name: self.errors[name].rms, default=None)

    @property
    def worst(self) -> float | None:
        """The root mean square error of that quantity, which stands for the arm."""
        return max((error.rms for error in self.errors.values()), default=None)
