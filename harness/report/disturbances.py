"""What disturbed the measurements of a section, what was set aside for it, and what stayed in
doubt.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from harness.records import Flag
from harness.report import text
from harness.report.views import Cell, Section

MEANING = {
    "waiting": "threads waited for a CPU",
    "steal": "the hypervisor took CPU time",
    "throttling": "a CPU quota ran out",
    "frequency": "the CPU's frequency changed",
}
COUNTED = ("blocks", "set_aside", "samples", "retaken", "preempted")
HEADER = (
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
    doubts: Mapping[str, int]
    elsewhere: float
    busiest: float
    disturbed: Mapping[str, list[str]]
    cells: int

    @classmethod
    def of(cls, section: Section) -> Disturbances | None:
        """None where no record tells, as of an earlier protocol."""
        found = [
            figures["conditions"]
            for cell in section.cells
            for figures in cell.measurements
            if "conditions" in figures
        ]
        if not found:
            return None
        total = {name: sum(conditions[name] for conditions in found) for name in COUNTED}
        doubts: Counter[str] = Counter()
        for conditions in found:
            doubts.update(conditions["doubts"])
        disturbed = {cell.label: names for cell in section.cells if (names := _disturbed(cell))}
        return cls(
            total["blocks"],
            total["set_aside"],
            total["samples"],
            total["retaken"],
            total["preempted"],
            dict(doubts.most_common()),
            fmean(conditions["elsewhere"] for conditions in found),
            max(conditions["elsewhere"] for conditions in found),
            disturbed,
            len(section.cells),
        )

    def brief(self) -> str:
        """One line, without names."""
        doubts = f"; in doubt: {self._doubts()}" if self.doubts else ""
        flagged = (
            f"; DISTURBED in {len(self.disturbed)} of {text.counted(self.cells, 'cell')}"
            if self.disturbed
            else ""
        )
        return (
            f"{text.counted(self.samples, 'sample')}, {self.retaken} taken again; "
            f"{text.counted(self.blocks, 'block')}, {self.set_aside} set aside{doubts}; others "
            "used "
            f"{self.elsewhere:.2f} CPUs{flagged}."
        )

    def told(self) -> list[str]:
        """The same in sentences, with what each reason means and where DISTURBED stands."""
        said = [
            (
                f"{text.counted(self.samples, 'sample')} taken, **{self.retaken} set aside and "
                "taken again** because their "
                "threads waited for a CPU."
            ),
            f"{text.counted(self.blocks, 'block')} measured, **{self.set_aside} set aside**.",
        ]
        said += [
            f"{text.counted(count, 'block')} in doubt: {MEANING.get(doubt, doubt)} (`{doubt}`)."
            for doubt, count in self.doubts.items()
        ]
        said.append(f"Threads were put off a CPU {text.counted(self.preempted, 'time')}.")
        said.append(
            f"Others used {self.elsewhere:.2f} CPUs in the mean, {self.busiest:.2f} in the busiest "
            "cell."
        )
        if self.disturbed:
            places = [
                f"{label} ({', '.join(map(text.code, names))})"
                for label, names in self.disturbed.items()
            ]
            said.append(f"**DISTURBED**, and so without a verdict: {text.listed(places)}.")
        return said

    def _doubts(self) -> str:
        return ", ".join(f"{doubt} {count}" for doubt, count in self.doubts.items())


def table(section: Section) -> str:
    """A row a cell, for each session that measured there: how long it was sampled, and what
    happened meanwhile.
    """
    rows = [
        [cell.label, *_row(figures)]
        for cell in section.cells
        for figures in cell.measurements
        if "conditions" in figures
    ]
    return text.columns(["problem", *HEADER], rows, right=(1, 2, 3, 4, 5, 7, 8, 9, 10))


def _row(figures: Mapping[str, Any]) -> list[str]:
    about, floor = figures["conditions"], figures.get("floor")
    doubts = ", ".join(f"{doubt} {count}" for doubt, count in about["doubts"].items())
    return [
        str(figures["launches"]),
        str(about["samples"]),
        str(about["retaken"]),
        str(about["blocks"]),
        str(about["set_aside"]),
        doubts or text.ABSENT,
        f"{about['elsewhere']:.2f}",
        text.percent(about["stolen"]),
        text.ABSENT if about["waited"] is None else text.percent(about["waited"]),
        f"{text.ratio(floor['drift'])} ×" if floor else text.ABSENT,
        figures["stopped"],
    ]


def _disturbed(cell: Cell) -> list[str]:
    return [name for name, record in cell.arms.items() if Flag.DISTURBED in record.flags]
