"""Samples and intervals as the tests want them."""

from __future__ import annotations

import math

from hypothesis import strategies as st
from scipy import stats

from harness.records import Interval, Seconds, TimedSample

logs = st.lists(st.floats(-2, 2), min_size=2, max_size=12)


def sample(launch: int, block: int, seconds: float, calls: int = 1) -> TimedSample:
    """A sample of so many ``calls``, each of which took ``seconds``."""
    return TimedSample(launch, block, calls, Seconds(seconds * calls))


def logarithms(interval: Interval) -> tuple[float, float, float]:
    return math.log(interval.estimate), math.log(interval.low), math.log(interval.high)


def within_binomial_bounds(hits: int, trials: int, share: float) -> bool:
    return bool(
        stats.binom.cdf(hits, trials, share) > 1e-3
        and stats.binom.sf(hits - 1, trials, share) > 1e-3
    )
