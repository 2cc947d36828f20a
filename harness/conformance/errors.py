"""How far results are from the oracle's, quantity by quantity: figures for a reader, where
`compare` gives a judgement.

The error of a quantity is taken relative to its scale, the root mean square of the exact values
(normwise, as in Higham 2002, Accuracy and Stability of Numerical Algorithms, section 1.2), and not
element by element: after cancellation an element near 0 has no correct digit in any implementation.
Likewise a unit in the last place (Goldberg 1991, ACM Computing Surveys 23(1)) is the distance of
the dtype's numbers at the scale. A scale below the dtype's least normal number counts as that
number, below which its numbers lie no closer.

Gradients are held against the exact ones, where `compare` takes the arm's own ReLU mask: an element
that an inexact output puts on the other side of 0 is part of the error, and is counted. Elements
that are not finite, or should not be, have no error; `compare` has judged them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from harness.conformance.compare import ELEMENTWISE, spacing
from harness.records import QuantityError
from implementations import oracle
from implementations.interface import Arrays, Phase, Problem
from implementations.oracle import Array, OracleResults

# A float64 beyond 2^±500 has a square that overflows, or underflows.
EXPONENT = 500


@dataclass(frozen=True)
class ErrorSums:
    """Of so many elements the Euclidean norms of the exact values and of the errors, and the
    largest error.
    """

    count: int = 0
    exact: float = 0.0
    error: float = 0.0
    largest: float = 0.0

    def __add__(self, other: ErrorSums) -> ErrorSums:
        return ErrorSums(
            self.count + other.count,
            math.hypot(self.exact, other.exact),
            math.hypot(self.error, other.error),
            max(self.largest, other.largest),
        )

    def relative(self, dtype: torch.dtype) -> QuantityError:
        """Relative to the scale of these elements, which are of ``dtype``."""
        root = math.sqrt(self.count)
        scale = self.exact / root
        unit = max(scale, torch.finfo(dtype).tiny)
        return QuantityError(
            rms=self.error / root / unit,
            largest=self.largest / unit,
            ulp=self.largest / spacing(scale, dtype),
            scale=scale,
        )


class ErrorTotals:
    """The errors of a call's results, added up over chunks of channels. ``flipped`` counts outputs
    on the other side of ReLU, of which gradients depend.
    """

    def __init__(self, problem: Problem, phase: Phase, arrays: Arrays) -> None:
        self._problem, self._phase, self._arrays = problem, phase, arrays
        self._sums: dict[str, ErrorSums] = {}
        self.flipped = 0

    def add(
        self, got: Mapping[str, Array], exact: OracleResults, channels: Sequence[int] | None
    ) -> None:
        """What these channels hold, and what the oracle gives for them by the arm's own mask."""
        exact = self._by_exact_mask(got, exact, channels)
        for name in got.keys() & _left_by(self._phase):
            more = error_sums(got[name], getattr(exact, name))
            self._sums[name] = self._sums.get(name, ErrorSums()) + more

    def errors(self) -> dict[str, QuantityError]:
        """Of each quantity that had an element."""
        return {
            name: self._sums[name].relative(self._dtype(name))
            for name in _left_by(self._phase)
            if name in self._sums and self._sums[name].count
        }

    def _by_exact_mask(
        self, got: Mapping[str, Array], exact: OracleResults, channels: Sequence[int] | None
    ) -> OracleResults:
        """The same where no element is on the other side, which spares evaluating it again."""
        masked = self._problem.activation == "relu" and self._phase.has_backward
        if not masked or "output" not in got:
            return exact
        flipped = int(np.count_nonzero((got["output"] > 0) != (exact.output > 0)))
        self.flipped += flipped
        if not flipped:
            return exact
        return oracle.backward(exact, self._problem, self._phase, self._arrays, channels=channels)

    def _dtype(self, quantity: str) -> torch.dtype:
        """The one that `compare` has found it to have."""
        elementwise = quantity in ELEMENTWISE
        name = self._problem.dtype if elementwise else self._problem.parameter_dtype
        dtype: torch.dtype = getattr(torch, str(name))
        return dtype


@np.errstate(invalid="ignore", over="ignore")  # of what is infinite, and left out
def error_sums(got: Array, exact: Array) -> ErrorSums:
    """Over the elements in which both are finite."""
    error = got - exact
    sums = _summed(error, exact)
    if math.isfinite(sums.largest) and math.isfinite(sums.exact):
        return sums
    known = np.isfinite(error)
    return _summed(error[known], exact[known])


def _left_by(phase: Phase) -> dict[str, None]:
    """What a call of the phase computes, of the names of `Results`, in their order."""
    names: list[str] = []
    if phase.has_forward:
        names += ["output"]
    if phase.has_forward and phase.training:
        names += ["running_mean", "running_var"]
    if phase.has_backward:
        names += ["grad_input", "grad_residual", "grad_weight", "grad_bias"]
    return dict.fromkeys(names)


def _summed(error: Array, exact: Array) -> ErrorSums:
    return ErrorSums(error.size, _norm(exact), _norm(error), _largest(error))


def _largest(values: Array) -> float:
    """The greatest size of any; NaN where one is NaN."""
    return max(abs(float(values.max())), abs(float(values.min()))) if values.size else 0.0


def _norm(values: Array) -> float:
    """Euclidean, by the powers of two that keep squares within float64's range."""
    flat = values.ravel(order="K")
    norm = math.sqrt(_squares(flat))
    if not values.size or 2.0**-EXPONENT < norm < 2.0**EXPONENT:
        return norm
    largest = _largest(flat)
    if not (math.isfinite(largest) and largest):
        return largest
    unit = math.ldexp(1.0, math.frexp(largest)[1])
    return unit * math.sqrt(_squares(flat / unit))


def _squares(values: Array) -> float:
    """Their sum. Not by `numpy.dot`, whose threads would go on spinning beside what is timed."""
    return float(np.einsum("i,i->", values, values))
