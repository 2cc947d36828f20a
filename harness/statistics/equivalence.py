"""Whether two arms end equally well: a claim to be proven, not the absence of a proven
difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev

from harness.records import Interval
from harness.statistics.student import Estimate, t_beyond

LEAST_PAIRS = 2
# of accuracy, the margin for trainings: the project's own choice of what matters to a user of a
# network
POINT = 0.01


@dataclass(frozen=True)
class Equivalence:
    """What two one-sided tests found of arm minus reference, in the unit of what was compared.

    ``difference`` is the mean with its 1 - 2 · alpha interval, ``level`` the larger of the two
    p-values, and

    equivalent  ⇔  level < alpha  ⇔  ``difference`` lies wholly inside ± margin
    beyond      ⇔  ``difference`` lies wholly outside
    """

    difference: Interval
    level: float
    equivalent: bool
    beyond: bool


def equivalence(
    arm: Sequence[float], reference: Sequence[float], margin: float, alpha: float
) -> Equivalence | None:
    """Two one-sided t tests (TOST) of paired values, one a seed, for a mean difference within ±
    ``margin``.

    That the mean is at most -margin and that it is at least margin are both to be refuted, each at
    ``alpha``: together that is no more than ``alpha`` of error, so the interval that corresponds is
    the 1 - 2 · alpha one (Schuirmann 1987, "A comparison of the two one-sided tests procedure and
    the power approach", Journal of Pharmacokinetics and Biopharmaceutics 15; Lakens 2017,
    "Equivalence tests", Social Psychological and Personality Science 8). 1 - level is the p-value
    of the opposite claim, that the mean lies beyond the margin on the side to which it points.

    Pairs that all differ by the same have no spread to estimate an error from, and their mean
    counts as known: the level is 0 where it lies inside the margin, else 1. Fewer than two pairs
    cannot tell: None. Raises ValueError for unpaired values, a margin that is not positive, or an
    alpha that is not or that is above a half.
    """
    if len(arm) != len(reference):
        raise ValueError(
            f"arms are paired by seed, and {len(arm)} and {len(reference)} values were given; "
            "give as many of each"
        )
    if not (margin > 0 and 0 < alpha <= 0.5):
        raise ValueError(
            f"margin={margin} and alpha={alpha}; allowed: a margin above 0, and an alpha above 0 "
            "up to 0.5"
        )
    if len(arm) < LEAST_PAIRS:
        return None
    differences = [ours - theirs for ours, theirs in zip(arm, reference, strict=True)]
    found = Estimate(
        fmean(differences), stdev(differences) / sqrt(len(differences)), len(differences) - 1
    )
    width = found.half_width(2 * alpha)
    level = _level(found, margin)
    low, high = found.mean - width, found.mean + width
    return Equivalence(
        Interval(found.mean, low, high), level, level < alpha, max(low, -high) > margin
    )


def _level(found: Estimate, margin: float) -> float:
    """The larger p-value is that of the edge which the mean is nearer to, or beyond."""
    inside = margin - abs(found.mean)
    if not found.error:
        return 0.0 if inside > 0 else 1.0
    return t_beyond(inside / found.error, found.freedom)
