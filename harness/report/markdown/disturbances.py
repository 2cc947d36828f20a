"""What disturbed a section, in sentences and by cell."""

from __future__ import annotations

from collections.abc import Mapping

from harness import formatting
from harness.analysis.disturbances import Disturbances
from harness.analysis.sections import Section
from harness.records import Conditions, Doubt, ThroughputFigures
from harness.report import phrases

MEANING: Mapping[Doubt, str] = {
    Doubt.WAITING: "threads waited for a CPU",
    Doubt.STEAL: "the hypervisor took CPU time",
    Doubt.THROTTLING: "a CPU quota ran out",
    Doubt.FREQUENCY: "the CPU's frequency changed",
}
HEADER = (
    "problem",
    "launches",
    "samples",
    "taken again",
    "blocks",
    "set aside",
    "doubts",
    "others' CPUs",
    "stolen",
    "longest wait",
    "floor's drift",
    "sampling ended at",
)
NUMBERS = (1, 2, 3, 4, 5, 7, 8, 9, 10)  # columns


def sentences(found: Disturbances) -> list[str]:
    """What happened, with what each reason means and where DISTURBED stands."""
    samples = formatting.counted(found.samples, "sample")
    blocks = formatting.counted(found.blocks, "block")
    retaken = f"**{found.retaken} set aside and taken again**"
    used = f"{found.elsewhere:.2f} CPUs in the mean, {found.busiest:.2f} in the busiest cell"
    return [
        f"{samples} taken, {retaken} because their threads waited for a CPU.",
        f"{blocks} measured, **{found.set_aside} set aside**.",
        *_doubts(found),
        f"Threads were put off a CPU {formatting.counted(found.preempted, 'time')}.",
        f"Others used {used}.",
        *_disturbed(found),
    ]


def table(section: Section) -> str:
    """A row a cell, for each session that measured there: how long it was sampled, and what
    happened meanwhile.
    """
    rows = [
        [cell.label, *_row(figures, figures.conditions)]
        for cell in section.cells
        for figures in cell.measurements
        if figures.conditions
    ]
    return formatting.columns(HEADER, rows, right=NUMBERS)


def _doubts(found: Disturbances) -> list[str]:
    return [
        f"{formatting.counted(count, 'block')} in doubt: {MEANING[doubt]} (`{doubt}`)."
        for doubt, count in found.doubts.items()
    ]


def _disturbed(found: Disturbances) -> list[str]:
    if not found.disturbed:
        return []
    places = [
        f"{label} ({', '.join(map(formatting.code, names))})"
        for label, names in found.disturbed.items()
    ]
    return [f"**DISTURBED**, and so without a verdict: {formatting.listed(places)}."]


def _row(figures: ThroughputFigures, conditions: Conditions) -> list[str]:
    waited, floor = conditions.waited, figures.floor
    return [
        str(figures.launches),
        str(conditions.samples),
        str(conditions.retaken),
        str(conditions.blocks),
        str(conditions.set_aside),
        phrases.doubt_counts(conditions.doubts) or formatting.ABSENT,
        f"{conditions.elsewhere:.2f}",
        formatting.percent(conditions.stolen),
        formatting.ABSENT if waited is None else formatting.percent(waited),
        f"{formatting.ratio(floor.drift)} ×" if floor else formatting.ABSENT,
        figures.stopped,
    ]
