"""Whether an arm that is called again and again still changes its pace."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import pi, sqrt
from statistics import median

WINDOW = 10  # groups, by default
# of the seconds: a drift over one window that no verdict at the usual margin of 3 % hangs on
TOLERANCE = 0.02
# Normal noise: the median absolute difference of neighbours is 0.6745 · sqrt(2) standard
# deviations, and a median of n has a standard error of sqrt(pi / 2 / n) standard deviations.
DEVIATIONS = 0.6745 * sqrt(2)
ERROR = sqrt(pi / 2) * sqrt(2)  # over the root of the window


def is_steady(seconds: Sequence[float], window: int = WINDOW) -> bool:
    """Whether the newest ``window`` groups of calls are no longer systematically quicker, or
    slower, than as many before.

    ``seconds`` is the time of each group so far, all of equally many calls; ``window`` is at least
    2. Medians of the two windows are compared, so that odd groups, fewer than half in each, say
    nothing. They may differ by TOLERANCE, or by one standard error of such a difference. Noise is
    measured between neighbouring groups (von Neumann's ratio does so): within a window, a drift
    would pass as noise of its own and excuse itself. One standard error is strict on purpose. Noise
    alone fails it now and then, which costs one more group; a drift that it let pass would stay in
    the result.
    """
    if len(seconds) < 2 * window:
        return False
    older, newer = seconds[-2 * window : -window], seconds[-window:]
    steps = [abs(after - before) for half in (older, newer) for before, after in pairwise(half)]
    noise = median(steps) / DEVIATIONS
    pace = median(older), median(newer)
    return abs(pace[1] - pace[0]) <= max(TOLERANCE * min(pace), ERROR / sqrt(window) * noise)
