"""What the oracle gives for a set of operands and how far from it a result may be, computed once
for all implementations that are held against it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harness.conformance.tolerances import Bounds, bounds
from implementations import oracle
from implementations.interface import Arrays, Phase, Problem
from implementations.oracle import OracleResults

# Elements of the input of which results are kept, at 200 bytes each. Beyond them a comparison
# reads more than caches hold, and computing anew costs little more.
MOST_KEPT = 1 << 20


class ExactResults:
    """The oracle's results and their tolerances, as long as the operands keep their values.

    ``keeps`` says whether what was computed is kept for the next one who asks.
    """

    def __init__(
        self,
        problem: Problem,
        phase: Phase,
        arrays: Arrays,
        *,
        representable: bool = False,
        keeps: bool = False,
    ) -> None:
        self._problem, self._phase, self._arrays = problem, phase, arrays
        self._representable, self._room = representable, MOST_KEPT if keeps else 0
        self._kept: dict[tuple[int, ...], tuple[OracleResults, Bounds]] = {}

    def of(
        self, channels: Sequence[int], mask: NDArray[np.bool_] | None
    ) -> tuple[OracleResults, Bounds]:
        """Of the given channels, with the gradients that belong to an implementation's own mask of
        ReLU. That is the exact one but for outputs within rounding of 0, so that what is kept
        serves nearly all.
        """
        key, size = tuple(channels), len(channels) * self._problem.reduction
        if key not in self._kept:
            if size > self._room:
                return self._computed(channels, mask)
            self._kept[key], self._room = self._computed(channels, None), self._room - size
        exact, _ = self._kept[key]
        if mask is None or not self._masked or np.array_equal(mask, exact.output > 0):
            return self._kept[key]
        return self._computed(channels, mask)

    @property
    def _masked(self) -> bool:
        return self._problem.activation == "relu" and self._phase.has_backward

    def _computed(
        self, channels: Sequence[int], mask: NDArray[np.bool_] | None
    ) -> tuple[OracleResults, Bounds]:
        problem, phase, arrays = self._problem, self._phase, self._arrays
        exact = oracle.evaluate(problem, phase, arrays, channels=channels, mask=mask)
        return exact, bounds(problem, phase, arrays, exact, representable=self._representable)
