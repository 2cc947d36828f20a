"""How far from the hardware's limit: times over that of the least memory traffic possible, measured
beside them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from harness import statistics
from harness.analysis.ratios import ratio_to_floor
from harness.analysis.sections import CellArms, Section
from harness.records import ThroughputRecord


@dataclass(frozen=True)
class FloorDistance:
    """One implementation's geometric mean of its times over the floor, in the ``covered`` cells
    that have a floor.
    """

    mean: float | None
    covered: int


@dataclass(frozen=True)
class MissingFloor:
    """Cells, by their labels, that have no floor for the same reason: None where one launch, which
    gives no interval, is all there was.
    """

    reason: str | None
    cells: tuple[str, ...]


def floor_distance(section: Section, implementation: str) -> FloorDistance:
    ratios = map(ratio_to_floor, section.records_of(implementation))
    found = [ratio.estimate for ratio in ratios if ratio]
    return FloorDistance(statistics.geometric_mean(found) if found else None, len(found))


def has_floors(section: Section) -> bool:
    """Whether any arm has a floor, or a reason why it has none. Records from before there was one
    have neither.
    """
    return any(map(_asked_for_floor, section.records()))


def any_floor(cells: Iterable[CellArms]) -> bool:
    """Whether there is one to draw."""
    return any(ratio_to_floor(record) for cell in cells for record in cell.arms.values())


def missing_floors(section: Section) -> list[MissingFloor]:
    """Where there is no floor, each reason once."""
    cells: dict[str | None, list[str]] = {}
    for cell in section.cells:
        lacking = [record for record in cell.arms.values() if _lacks_floor(record)]
        for reason in dict.fromkeys(map(_reason, lacking)):
            cells.setdefault(reason, []).append(cell.label)
    return [MissingFloor(reason, tuple(labels)) for reason, labels in cells.items()]


def quicker_stores(section: Section) -> dict[str, int]:
    """In how many cells each kind of the probe's stores was the quicker one."""
    counts: Counter[str] = Counter()
    for cell in section.cells:
        counts.update({figures.floor.stores for figures in cell.measurements if figures.floor})
    return dict(counts)


def _asked_for_floor(record: ThroughputRecord) -> bool:
    figures = record.figures
    return figures is not None and (figures.floor is not None or figures.floor_absent is not None)


def _lacks_floor(record: ThroughputRecord) -> bool:
    return _asked_for_floor(record) and ratio_to_floor(record) is None


def _reason(record: ThroughputRecord) -> str | None:
    return None if record.figures is None else record.figures.floor_absent
