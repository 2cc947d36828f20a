"""A throughput record's ratios of times, where it has them."""

from __future__ import annotations

from harness.records import Interval, ThroughputRecord


def ratio_to_baseline(record: ThroughputRecord) -> Interval | None:
    return None if record.figures is None else record.figures.ratio


def ratio_to_floor(record: ThroughputRecord) -> Interval | None:
    """The time over that of the least memory traffic possible."""
    if record.figures is None or record.figures.floor is None:
        return None
    return record.figures.floor.ratio
