"""The least time that a cell's pilot takes, told before a measurement that has less."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from harness import formatting
from harness.records import Cell, Identity, Protocol, Seconds, ThroughputCell
from harness.timing.cell_spec import FLOORS
from harness.timing.schedule import SLOPE
from harness.timing.warm_up import GROUPS, window

CALIBRATION = 2  # groups of calls: the one that is long enough, and as many untimed calls before it


def least_seconds(protocol: Protocol, arms: int) -> Seconds:
    """Of warming up and sampling so many arms, the canary among them, and the floors in the pilot's
    launches, undisturbed. Calls that are longer than a fifth of a sample take more.
    """
    group = protocol.sample_seconds / GROUPS
    warm_up = (CALIBRATION + 2 * window(group)) * group
    untimed_and_timed = (1 + (SLOPE if block % 2 else 1) for block in range(protocol.blocks))
    blocks = sum(untimed_and_timed) * protocol.sample_seconds
    return Seconds(protocol.launches * (arms + len(FLOORS)) * (warm_up + blocks))


def too_little_time(plan: Iterable[Identity[Cell]]) -> str | None:
    """A warning where a cell has fewer seconds than it takes: of the one that lacks most."""
    arms = Counter(identity.cell for identity in plan if isinstance(identity.cell, ThroughputCell))
    lacking = [
        (least / max(cell.protocol.cell_seconds, 1e-9), least, count, cell.protocol)
        for cell, count in arms.items()
        if (least := least_seconds(cell.protocol, count)) > cell.protocol.cell_seconds
    ]
    if not lacking:
        return None
    _, least, count, protocol = max(lacking, key=lambda one: one[0])
    seconds, needed = protocol.cell_seconds, formatting.seconds(least)
    return (
        f"task.cell_seconds={seconds:g} is less than the {needed} or more that a cell takes to "
        f"warm up and sample {count + len(FLOORS)} arms, the A/A arm and the floors among them, in "
        f"task.launches={protocol.launches} launches of task.blocks={protocol.blocks} blocks of "
        f"task.sample_seconds={protocol.sample_seconds:g}; it will have fewer launches and blocks. "
        f"Raise task.cell_seconds, or lower one of the others"
    )
