"""How far from the hardware's limit: times over that of the least memory traffic possible, measured
beside them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness import statistics
from harness.records import Interval, Record
from harness.report import text
from harness.report.views import Cell, Section, floor_of

SIGN = "×floor"
ONE_LAUNCH = "one launch gives no interval"
LONG = 3  # cells: from here on their number says as much as their names


@dataclass(frozen=True)
class Distance:
    """One implementation's geometric mean of its times over the floor, in the ``covered`` cells
    that have a floor.
    """

    mean: float | None
    covered: int


def distance(section: Section, name: str) -> Distance:
    found = [
        floor
        for cell in section.cells
        if name in cell.arms and (floor := floor_of(cell.arms[name]))
    ]
    return Distance(
        statistics.geometric_mean(floor.estimate for floor in found) if found else None, len(found)
    )


def present(section: Section) -> bool:
    """Whether any arm has a floor, or a reason why it has none. Records from before there was one
    have neither.
    """
    return any(
        "floor" in (record.figures or {}) for cell in section.cells for record in cell.arms.values()
    )


def drawable(cells: Sequence[Cell]) -> bool:
    return any(floor_of(record) for cell in cells for record in cell.arms.values())


def bounded(floor: Interval) -> str:
    """×floor 2.31 [2.28, 2.35]."""
    return f"{SIGN} {text.bounded(floor)}"


def brief(value: float | None, absent: str = "") -> str:
    """2.3 ×."""
    if value is None:
        return absent
    return f"{value:.2f} ×" if value < 1 else f"{value:.1f} ×" if value < 100 else f"{value:,.0f} ×"


def absent(section: Section) -> list[str]:
    """Where there is no floor, each reason once."""
    places: dict[str, list[str]] = {}
    for cell in section.cells:
        reasons = dict.fromkeys(
            reason for record in cell.arms.values() if (reason := _reason(record))
        )
        for reason in reasons:
            places.setdefault(reason, []).append(cell.label)
    return [
        f"{SIGN} absent in {_where(labels, section)}: {text.plain(reason)}; without it nothing can "
        "be IMPLAUSIBLE"
        for reason, labels in places.items()
    ]


def kinds(section: Section) -> str:
    """The stores that were the quicker: ordinary in 9 cells, streaming in 1."""
    counts: dict[str, int] = {}
    for cell in section.cells:
        for stores in {
            figures["floor"]["stores"] for figures in cell.measurements if figures.get("floor")
        }:
            counts[stores] = counts.get(stores, 0) + 1
    return ", ".join(
        f"{stores} in {text.counted(count, 'cell')}" for stores, count in counts.items()
    )


def _reason(record: Record) -> str | None:
    figures = record.figures or {}
    if "floor" not in figures:
        return None
    if figures["floor"] is None:
        return str(figures.get("floor_absent") or "no reason was recorded")
    return None if figures["floor"]["ratio"] else ONE_LAUNCH


def _where(labels: Sequence[str], section: Section) -> str:
    if len(labels) == len(section.cells):
        return "all cells" if len(labels) > 1 else "the only cell"
    return text.counted(len(labels), "cell") if len(labels) > LONG else text.listed(labels)
