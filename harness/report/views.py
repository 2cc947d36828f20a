"""Records arranged as a reader asks for them: sections of cells that differ in the problem only,
and arms in a cell.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.conformance.cases.properties import PROPERTIES
from harness.records import CANARY, Flag, Interval, Record, Status
from harness.training.models import MODELS
from implementations.interface import Problem

ALPHA = 0.05  # where an old race's cells have none: the configuration's default
NORMAL = "normal"  # the inputs' distribution, and all that there was in the first protocol
NO_VERDICT, NO_RATIO = "no verdict", "no ratio"
DOCUMENTED = "documented"  # WRONG, and known to be: neither a failure nor a pass
KNOWN = f"{Status.WRONG} as {DOCUMENTED}"  # the same in a sentence
FAILED = tuple(status for status in Status if status.failed)
MISTRUSTED = Flag.MISTRUSTED.value
REFUSED = (Status.UNSUPPORTED, Status.UNAVAILABLE)
OUTCOMES = (Status.OK, *FAILED, DOCUMENTED, MISTRUSTED, *REFUSED)
# parts of a cell that say how surely, not what
HOW_MEASURED = ("margin", "alpha", "seed", "protocol")
SPACE_OUTSIDE_PAIRS = re.compile(r"(?<!\bno) ")  # "no weight" is one word of a problem


@dataclass(frozen=True)
class Cell:
    """One throughput cell, its arms side by side, the baseline first. ``label`` tells it from its
    section's others.
    """

    about: Mapping[str, Any]
    label: str
    arms: Mapping[str, Record]
    canary: Interval | None

    @property
    def baseline(self) -> str:
        return str(self.about["baseline"])

    @property
    def measurements(self) -> list[Mapping[str, Any]]:
        """Figures in which all arms measured together agree, such as the conditions: once for each
        session.
        """
        return list(
            {
                record.session: record.figures for record in self.arms.values() if record.figures
            }.values()
        )


@dataclass(frozen=True)
class Section:
    """Throughput cells alike in all but the problem. ``common`` is what their problems share."""

    about: Mapping[str, Any]
    common: str
    cells: tuple[Cell, ...]

    @property
    def title(self) -> str:
        return conditions(self.about)

    @property
    def baseline(self) -> str:
        return str(self.about["baseline"])

    @property
    def implementations(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for cell in self.cells for name in cell.arms))


@dataclass(frozen=True)
class Race:
    """Convergence runs alike in all but the seed: arms, and in each arm its records by seed."""

    about: Mapping[str, Any]
    arms: Mapping[str, Mapping[int, Record]]

    @property
    def title(self) -> str:
        return recipe(self.about)

    @property
    def seeds(self) -> tuple[int, ...]:
        return tuple(dict.fromkeys(seed for arm in self.arms.values() for seed in arm))

    @property
    def timed(self) -> bool:
        """Whether arms ran one after the other, so that their times can be compared. Old records
        were.
        """
        return bool(self.about.get("timed", True))

    @property
    def alpha(self) -> float:
        return float(self.about.get("alpha", ALPHA))

    def ok(self, name: str) -> dict[int, Mapping[str, Any]]:
        """An arm's figures, by seed, where there are any."""
        return {
            seed: record.figures
            for seed, record in self.arms[name].items()
            if record.figures is not None
        }

    def pairs(self, name: str, other: str) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
        """Figures of both arms at each seed at which both have some."""
        ours, theirs = self.ok(name), self.ok(other)
        return [(ours[seed], theirs[seed]) for seed in ours if seed in theirs]


def sections(records: Iterable[Record]) -> list[Section]:
    """The throughput records, by section and cell, in the order in which they come."""
    cells: dict[str, list[Record]] = {}
    for record in of_task(records, "throughput"):
        cells.setdefault(record.identity.cell_key, []).append(record)
    groups: dict[str, list[list[Record]]] = {}
    for arms in cells.values():
        groups.setdefault(_key(_without(arms[0].cell, "problem")), []).append(arms)
    return [_section(group) for group in groups.values()]


def races(records: Iterable[Record]) -> list[Race]:
    """The convergence records, by all but the seed, then by arm and seed."""
    groups: dict[str, dict[str, dict[int, Record]]] = {}
    about: dict[str, Mapping[str, Any]] = {}
    for record in of_task(records, "convergence"):
        rest = _without(record.cell, "seed")
        about.setdefault(_key(rest), rest)
        arms = groups.setdefault(_key(rest), {})
        arms.setdefault(record.implementation, {})[record.cell["seed"]] = record
    return [Race(about[key], arms) for key, arms in groups.items()]


def of_task(records: Iterable[Record], task: str) -> list[Record]:
    return [record for record in records if record.task == task]


def names(records: Sequence[Record]) -> tuple[str, ...]:
    """Every implementation, baselines first, in the order in which they come; the canary is
    none.
    """
    baselines = [record.cell["baseline"] for record in records if "baseline" in record.cell]
    present = dict.fromkeys(
        record.implementation for record in records if record.implementation != CANARY
    )
    return tuple(name for name in dict.fromkeys([*baselines, *present]) if name in present)


def conditions(about: Mapping[str, Any]) -> str:
    """What is timed and where: training step, layer, fresh outputs, warm cache, cpu, 2 threads;
    inputs if not normal.
    """
    inputs = about.get("inputs", NORMAL)
    special = "" if inputs == NORMAL else f"{inputs.replace('_', ' ')} inputs, "
    return (
        f"{about['phase'].replace('_', ' ')}, {about['face']}, {about['outputs']} outputs, "
        f"{about['cache']} cache, "
        f"{special}{place(about)}"
    )


def place(about: Mapping[str, Any]) -> str:
    """Where it runs: cpu, 2 threads."""
    return f"{about['device']}, {about['threads']} thread{'s' * (about['threads'] != 1)}"


def recipe(about: Mapping[str, Any]) -> str:
    """What is trained and how: mlp (depth 8) on digits, sgd at 0.1, batch 64."""
    own = {**MODELS.get(about["model"], {}), "redundant_bias": False, "initial_scale": 1.0}
    special = [
        f"{name.replace('_', ' ')} {about[name]}"
        for name in own
        if about.get(name, own[name]) != own[name]
    ]
    network = f"{about['model']} ({', '.join(special)})" if special else about["model"]
    return (
        f"{network} on {about['dataset']}, "
        f"{about['optimizer']} at {about['learning_rate']:g}, batch {about['batch']}"
    )


def ratio_of(record: Record) -> Interval | None:
    """A throughput record's ratio to the baseline, where it has one."""
    return _interval(record.figures and record.figures.get("ratio"))


def floor_of(record: Record) -> Interval | None:
    """A throughput record's time over the floor's, the least memory traffic possible, where it has
    one.
    """
    floor = record.figures and record.figures.get("floor")
    return _interval(floor and floor["ratio"])


def outcome(record: Record) -> str:
    """A throughput record's verdict, or why there is none: no ratio, a flag that forbids it, or a
    status but OK.
    """
    if record.figures is None:
        return record.status.value
    if record.figures["ratio"] is None:
        return NO_RATIO
    return NO_VERDICT if record.flags else record.figures["verdict"] or NO_VERDICT


def told_as(record: Record) -> str:
    """What became of it, one of ``OUTCOMES``: its status, unless a WRONG is documented or an OK
    proves too little.
    """
    if record.explanation is not None:
        return DOCUMENTED
    return MISTRUSTED if Flag.MISTRUSTED in record.flags else record.status.value


def same_cell(record: Record) -> str:
    """A key of the cell that sessions share, whatever the machine, and however surely they measured
    it.
    """
    ignored = HOW_MEASURED if record.task == "throughput" else ("alpha", "protocol")
    return _key({"task": record.task, "cell": _without(record.cell, *ignored)})


def describe(record: Record) -> str:
    """The record's cell in one line."""
    cell = record.cell
    match record.task:
        case "throughput":
            return f"{Problem(**cell['problem'])}, {conditions(cell)}"
        case "convergence":
            return f"{recipe(cell)}, seed {cell['seed']}"
        case _:
            return f"{cell['case']}, {place(cell)}"


def property_of(record: Record) -> str:
    """What a conformance case holds an implementation to, by its name up to the first slash."""
    group = str(record.cell["case"]).split("/", 1)[0]
    return PROPERTIES.get(group, group)


def _section(group: list[list[Record]]) -> Section:
    problems = [
        SPACE_OUTSIDE_PAIRS.split(str(Problem(**arms[0].cell["problem"]))) for arms in group
    ]
    shared = [word for word in problems[0][1:] if all(word in words for words in problems)]
    labels = [" ".join(word for word in words if word not in shared) for words in problems]
    cells = tuple(map(_cell, group, labels))
    return Section(_without(cells[0].about, "problem"), " ".join(shared), cells)


def _cell(records: list[Record], label: str) -> Cell:
    by_name = {record.implementation: record for record in records}
    arms = {name: by_name[name] for name in names(records)}
    canaries = (_interval(record.figures.get("canary")) for record in records if record.figures)
    return Cell(records[0].cell, label, arms, next(filter(None, canaries), None))


def _interval(data: Mapping[str, float] | None) -> Interval | None:
    return Interval(**data) if data else None


def _without(cell: Mapping[str, Any], *fields: str) -> dict[str, Any]:
    return {field: value for field, value in cell.items() if field not in fields}


def _key(data: Mapping[str, Any]) -> str:
    return json.dumps(data, sort_keys=True)
