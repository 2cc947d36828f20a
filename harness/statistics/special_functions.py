"""The special functions that distributions take.

Of SciPy, only ``scipy.special`` is used: importing ``scipy.stats`` takes half a second of every
command.
"""

from __future__ import annotations

from math import isinf
from typing import Any

STEPS = 50  # of Newton's method, which takes fewer than ten


def special() -> Any:
    """``scipy.special``, imported where it is first needed."""
    import scipy.special

    return scipy.special


def variance_ratio_beyond(ratio: Any, freedom: Any, prior_freedom: float) -> Any:
    """The probability that F of these degrees of freedom, the second maybe infinite, is above
    ``ratio``: a number or an array, as are the first two.
    """
    if isinf(prior_freedom):
        return special().chdtrc(freedom, freedom * ratio)
    return special().fdtrc(freedom, prior_freedom, ratio)


def trigamma_inverse(value: float) -> float:
    """Where the trigamma function is ``value``, which is positive: by Newton's method on its
    reciprocal, which is nearly linear (Smyth 2004, appendix).
    """
    if not value > 0:
        raise ValueError(f"the trigamma function is above 0 everywhere, and never {value}")
    found = 0.5 + 1 / value
    for _ in range(STEPS):
        there = float(special().polygamma(1, found))
        step = there * (1 - there / value) / float(special().polygamma(2, found))
        found += step
        if abs(step) <= 1e-10 * found:
            break
    return found
