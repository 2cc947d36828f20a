"""What disturbed the measurements of a section, what was set aside for it, and what stayed in
doubt.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean

from harness.analysis.sections import CellArms, Section
from harness.records import Doubt, Flag


@dataclass(frozen=True)
class Disturbances:
    """Of all cells of a section. ``retaken`` samples had waited for a CPU, and others were taken in
    their place.

    ``doubts`` counts blocks by reason, whether set aside or not; one may have several.
    ``elsewhere`` is the mean number of CPUs that others used, ``busiest`` the largest of a cell.
    ``disturbed`` maps the label of each cell with a DISTURBED record to the implementations.
    """

    blocks: int
    set_aside: int
    samples: int
    retaken: int
    preempted: int
    doubts: Mapping[Doubt, int]
    elsewhere: float
    busiest: float
    disturbed: Mapping[str, list[str]]
    cells: int


def disturbances(section: Section) -> Disturbances | None:
    """None where no record has its conditions, as of an earlier protocol."""
    found = [figures.conditions for figures in section.measurements() if figures.conditions]
    if not found:
        return None
    doubts: Counter[Doubt] = Counter()
    for conditions in found:
        doubts.update(conditions.doubts)
    return Disturbances(
        blocks=sum(conditions.blocks for conditions in found),
        set_aside=sum(conditions.set_aside for conditions in found),
        samples=sum(conditions.samples for conditions in found),
        retaken=sum(conditions.retaken for conditions in found),
        preempted=sum(conditions.preempted for conditions in found),
        doubts=dict(doubts.most_common()),
        elsewhere=fmean(conditions.elsewhere for conditions in found),
        busiest=max(conditions.elsewhere for conditions in found),
        disturbed={cell.label: names for cell in section.cells if (names := _disturbed(cell))},
        cells=len(section.cells),
    )


def _disturbed(cell: CellArms) -> list[str]:
    return [name for name, record in cell.arms.items() if Flag.DISTURBED in record.flags]
