"""A second way of timing the same samples: how they disagree, as one log-ratio a launch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from math import log
from statistics import median

from harness.records import TimedSample


def log_slopes(samples: Sequence[TimedSample]) -> list[float]:
    """The slope of time over the number of calls, relative to time over calls, in each launch that
    had two numbers.

    The slope is free of what a sample costs once, such as the clock, a synchronization, or work put
    off until then; so 0 says that there is none of it. A launch whose larger samples took no longer
    than its smaller ones gives none.
    """
    launches: dict[int, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for sample in samples:
        if not sample.set_aside:
            launches[sample.launch][sample.calls].append(sample.seconds)
    slopes = map(_log_slope, launches.values())
    return [slope for slope in slopes if slope is not None]


def log_device_times(samples: Sequence[TimedSample]) -> list[float]:
    """The device's own account of each launch's samples relative to the wall clock's; empty on a
    CPU.
    """
    launches: dict[int, list[float]] = defaultdict(list)
    for sample in samples:
        if sample.device_seconds and not sample.set_aside:
            launches[sample.launch].append(log(sample.device_seconds / sample.seconds))
    return [median(ratios) for ratios in launches.values()]


def _log_slope(by_calls: dict[int, list[float]]) -> float | None:
    if len(by_calls) < 2:
        return None
    few, many = min(by_calls), max(by_calls)
    slope = (median(by_calls[many]) - median(by_calls[few])) / (many - few)
    overall = median(seconds / calls for calls, group in by_calls.items() for seconds in group)
    return log(slope / overall) if slope > 0 else None
