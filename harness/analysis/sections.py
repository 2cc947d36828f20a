"""Throughput records arranged as a reader asks for them: arms side by side in a cell, and cells in
sections that differ in the problem only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.analysis.matching import key_without
from harness.analysis.selection import implementations, throughput_records
from harness.records import AnyRecord, Interval, ThroughputCell, ThroughputFigures, ThroughputRecord

SPACE_OUTSIDE_PAIRS = re.compile(r"(?<!\bno) ")  # "no weight" is one word of a problem


@dataclass(frozen=True)
class CellArms:
    """One throughput cell, its arms side by side, the baseline first.

    ``label`` are the words of its problem that tell it from its section's other cells.
    """

    definition: ThroughputCell
    label: str
    arms: Mapping[str, ThroughputRecord]
    canary: Interval | None

    @property
    def baseline(self) -> str:
        return self.definition.baseline

    @property
    def measurements(self) -> list[ThroughputFigures]:
        """Figures in which all arms measured together agree, such as the conditions: once for each
        session.
        """
        by_session = {
            record.session: record.figures for record in self.arms.values() if record.figures
        }
        return list(by_session.values())


@dataclass(frozen=True)
class Section:
    """Throughput cells alike in all but the problem. ``common`` are the words that their problems
    share.
    """

    common: str
    cells: tuple[CellArms, ...]

    @property
    def definition(self) -> ThroughputCell:
        """The first cell's, from which the others differ in the problem alone."""
        return self.cells[0].definition

    @property
    def baseline(self) -> str:
        return self.definition.baseline

    @property
    def margin(self) -> float:
        return self.definition.margin

    @property
    def alpha(self) -> float:
        return self.definition.alpha

    @property
    def implementations(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for cell in self.cells for name in cell.arms))

    def records(self) -> list[ThroughputRecord]:
        return [record for cell in self.cells for record in cell.arms.values()]

    def measurements(self) -> list[ThroughputFigures]:
        return [figures for cell in self.cells for figures in cell.measurements]

    def records_of(self, implementation: str) -> list[ThroughputRecord]:
        """The implementation's record of each cell in which it was measured."""
        arms = (cell.arms.get(implementation) for cell in self.cells)
        return [record for record in arms if record is not None]


def sections(records: Iterable[AnyRecord]) -> list[Section]:
    """The throughput records, by section and cell, in the order in which they come."""
    cells: dict[str, list[ThroughputRecord]] = {}
    for record in throughput_records(records):
        cells.setdefault(record.identity.cell_key, []).append(record)
    groups: dict[str, list[list[ThroughputRecord]]] = {}
    for arms in cells.values():
        groups.setdefault(key_without(arms[0].cell, "problem"), []).append(arms)
    return [_section(group) for group in groups.values()]


def cells_of_several_sessions(section: Section) -> list[CellArms]:
    """The cells whose arms were not all measured by one session."""
    return [cell for cell in section.cells if len(_sessions(cell)) > 1]


def _sessions(cell: CellArms) -> set[str]:
    return {record.session for record in cell.arms.values()}


def _section(group: list[list[ThroughputRecord]]) -> Section:
    problems = [SPACE_OUTSIDE_PAIRS.split(str(arms[0].cell.problem)) for arms in group]
    in_all = set[str].intersection(*map(set, problems))
    common = [word for word in problems[0][1:] if word in in_all]
    labels = [_without(common, words) for words in problems]
    return Section(" ".join(common), tuple(map(_cell, group, labels)))


def _without(common: list[str], words: list[str]) -> str:
    return " ".join(word for word in words if word not in common)


def _cell(records: list[ThroughputRecord], label: str) -> CellArms:
    by_name = {record.implementation: record for record in records}
    arms = {name: by_name[name] for name in implementations(records)}
    canaries = (record.figures.canary for record in records if record.figures)
    return CellArms(records[0].cell, label, arms, next(filter(None, canaries), None))
