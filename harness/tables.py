"""What a command ends with: its records as tables for a terminal of 120 columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from harness.records import Status, Verdict
from harness.report import convergence, floors, tallies, text
from harness.report.disturbances import Disturbances
from harness.report.headlines import Headlines
from harness.report.spending import Spending
from harness.report.throughput import others
from harness.report.views import (
    DOCUMENTED,
    MISTRUSTED,
    NO_RATIO,
    NO_VERDICT,
    Cell,
    Race,
    Section,
    floor_of,
    names,
    of_task,
    races,
    ratio_of,
    sections,
)

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from harness.comparison import Comparison
    from harness.records import Record
    from harness.report.tallies import CaseTally

WIDTH = 120  # columns that every table fits, and has where there is no terminal to ask
# that a terminal holds; where cells need more, only their overview is shown, and the report has the
# rest
ROWS = 50
NAME = 13  # columns that the built-in arms' names need
ABREAST = 4  # implementations that stand beside a property's sentence
ENTRY = 15  # columns that "100 UNSUPPORTED" needs; what is longer is folded
COUNTED = ("UNCHANGED", "ADDED", "REMOVED")
COLOURS = {
    Verdict.FASTER: "green",
    Verdict.SLOWER: "red",
    Verdict.SAME: "cyan",
    Verdict.AMBIGUOUS: "yellow",
    NO_VERDICT: "yellow",
    NO_RATIO: "yellow",
    Status.UNSUPPORTED: "dim",
    Status.UNAVAILABLE: "dim",
    Status.OK: "green",
    DOCUMENTED: "yellow",
    MISTRUSTED: "yellow",
    "MENDED": "green",
    "UNCHANGED": "dim",
    "ADDED": "dim",
    "REMOVED": "yellow",
}


def closing_table(records: Sequence[Record]) -> RenderableType:
    """All of a session in at most 120 columns: cases passed, cells with their arms, trainings;
    failures by status.
    """
    from rich.console import Group
    from rich.text import Text

    parts: list[RenderableType] = []
    if cases := of_task(records, "conformance"):
        parts += _conformance(cases)
    timed, headlines = sections(records), Headlines.of(records)
    rows = sum(len(cell.arms) for section in timed for cell in section.cells)
    for section in timed:
        parts += [_section(section, headlines)] if rows <= ROWS else []
        parts += [_overview(section, headlines)] if len(section.implementations) > 1 else []
        parts += [Text("\n".join([*said, ""]))] if (said := _about(section)) else []
    if rows > ROWS:
        parts.append(
            Text(f"{sum(len(section.cells) for section in timed)} cells, each in the report.\n")
        )
    parts += [Text("\n".join([*said, ""]))] if (said := _about_all(headlines, timed)) else []
    parts += [_race(race) for race in races(records)]
    return Group(*parts) if parts else Text("no records")


def comparison_table(comparisons: Sequence[Comparison]) -> RenderableType:
    """Under each cell what changed in it, in at most 120 columns; what did not, or stands in one
    session only, is counted.
    """
    from rich.console import Group
    from rich.markup import escape

    parts: list[RenderableType] = []
    cells: dict[str, list[Comparison]] = {}
    for found in comparisons:
        if found.outcome not in COUNTED:
            cells.setdefault(found.cell, []).append(found)
    for cell, changes in cells.items():
        table = _table(escape(cell))
        for title, width in (
            ("implementation", 18),
            ("after / before", 20),
            ("outcome", 10),
            ("note", 42),
        ):
            table.add_column(title, width=width, overflow="fold")
        for found in changes:
            table.add_row(
                escape(found.implementation),
                text.bounded(found.ratio) if found.ratio else "",
                _coloured(found.outcome),
                escape(text.line(found.note)),
            )
        parts.append(table)
    counts = Counter(_coloured(found.outcome) for found in comparisons)
    said = (
        ", ".join(f"{outcome} {count}" for outcome, count in counts.items()) or "nothing to compare"
    )
    return Group(
        *parts, f"{said}. Ratios are of the times relative to the baseline of each session."
    )


def _conformance(records: Sequence[Record]) -> list[Table]:
    """A row a property and a column an implementation, in tables of as many columns as fit, as even
    as can be.
    """
    matrix, columns = tallies.matrix(records), names(records)
    count = -(-len(columns) // ABREAST)
    size = -(-len(columns) // count)
    return [
        _matrix(matrix, columns[start : start + size]) for start in range(0, len(columns), size)
    ]


def _matrix(matrix: Mapping[str, Mapping[str, CaseTally]], columns: Sequence[str]) -> Table:
    from rich.markup import escape

    table = _table("Conformance: cases passed")
    table.padding = (0, 1, 0, 0)
    table.add_column("property")
    for name in columns:
        table.add_column(escape(name), justify="right", overflow="fold", max_width=ENTRY)
    for label, row in matrix.items():
        if label == tallies.ALL:
            table.add_section()
        table.add_row(escape(label), *(_cases(row.get(name)) for name in columns))
    return table


def _cases(tally: CaseTally | None) -> str:
    """How many passed; where that is not all, a line for each thing that became of the others."""
    if tally is None:
        return ""
    passed = str(tally) if tally.others else _coloured(Status.OK, str(tally))
    return "\n".join(
        [
            passed,
            *(_coloured(outcome, f"{count} {outcome}") for outcome, count in tally.others.items()),
        ]
    )


def _about(section: Section) -> list[str]:
    """What has to be known to read a section's numbers: what disturbed them, and why there is no
    floor.
    """
    disturbances = Disturbances.of(section)
    return [
        *([disturbances.brief()] if disturbances else []),
        *map(text.line, floors.absent(section)),
    ]


def _about_all(headlines: Headlines, timed: Sequence[Section]) -> list[str]:
    """What holds for all of them: the correction, the floor's meaning, and where the time went."""
    meaning = [
        (
            f"{floors.SIGN}: time over that of the least memory traffic possible; 1 is the "
            "hardware's limit."
        )
    ]
    spending = Spending.of(timed)
    return [
        *headlines.told(),
        *(meaning if any(map(floors.present, timed)) else []),
        *([spending.brief()] if spending else []),
    ]


def _section(section: Section, headlines: Headlines) -> Table:
    table = _table(f"{section.title}{', ' * bool(section.common)}{section.common}")
    table.add_column("problem", overflow="fold", max_width=30)
    table.add_column("implementation", overflow="fold")
    known = floors.present(section)
    for title in ("median", *([floors.SIGN] if known else []), "ratio", "MDE"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("verdict")
    for cell in section.cells:
        for position, name in enumerate(cell.arms):
            median, floor, *rest = _arm(cell, name, headlines)
            table.add_row(
                "" if position else cell.label,
                name,
                median,
                *([floor] if known else []),
                *rest,
                end_section=position == len(cell.arms) - 1,
            )
    return table


def _arm(cell: Cell, name: str, headlines: Headlines) -> tuple[str, ...]:
    """Median, times the floor, ratio, minimum detectable effect and verdict; of the baseline its
    noise.
    """
    record = cell.arms[name]
    if record.figures is None:
        return "", "", "", "", _coloured(record.status)
    median, flags = (
        text.seconds(record.figures["median_seconds"]),
        [f"[yellow]{flag}[/]" for flag in record.flags],
    )
    found = floor_of(record)
    floor = floors.brief(found.estimate if found else None)
    if name == cell.baseline:
        noise = f"{text.bounded(cell.canary)}" if cell.canary else ""
        return (
            median,
            floor,
            noise,
            "",
            " ".join(["[dim]baseline, A/A[/]" if noise else "[dim]baseline[/]", *flags]),
        )
    ratio, effect, before = (
        ratio_of(record),
        record.figures["minimum_detectable_effect"],
        headlines.before(record),
    )
    return (
        median,
        floor,
        text.bounded(ratio) if ratio else "",
        text.percent(effect) if effect is not None else "",
        " ".join(
            [_coloured(headlines.outcome(record)), *flags, *([f"({before})"] if before else [])]
        ),
    )


def _overview(section: Section, headlines: Headlines) -> Table:
    table = _table(f"Time relative to {section.baseline}: {section.title}")
    table.add_column("implementation", overflow="fold", min_width=NAME)
    for title in ("geometric mean", "over cells", *Verdict):
        table.add_column(title, justify="right")
    table.add_column("other")
    if known := floors.present(section):
        table.add_column(floors.SIGN, justify="right", no_wrap=True)
    if known and section.baseline in section.implementations:
        table.add_row(
            section.baseline, *[""] * (3 + len(Verdict)), _distance(section, section.baseline)
        )
    for tally in tallies.speed(section, headlines):
        mean = "" if tally.geometric_mean is None else text.ratio(tally.geometric_mean)
        counts = [str(tally.outcomes.get(verdict, "")) for verdict in Verdict]
        table.add_row(
            tally.implementation,
            mean,
            f"{tally.covered} of {len(section.cells)}",
            *counts,
            others(tally.outcomes),
            *([_distance(section, tally.implementation)] if known else []),
        )
    return table


def _distance(section: Section, name: str) -> str:
    return floors.brief(floors.distance(section, name).mean)


def _race(race: Race) -> Table:
    table = _table(
        f"{race.title}, to {text.percent(race.about['target'])} validation accuracy; medians over "
        "seeds"
    )
    table.add_column("arm", overflow="fold", min_width=NAME)
    for title in ("steps", "missed", "time", "a step", "accuracy"):
        table.add_column(title, justify="right")
    if against := tallies.reference(race):
        table.add_column(f"steps to {against}'s", no_wrap=True)
    table.add_column("other")
    for tally in tallies.convergence(race):
        ratio = text.bounded(tally.steps_ratio) if tally.steps_ratio else ""
        diverged = [f"diverged {tally.diverged}"] if tally.diverged else []
        table.add_row(
            tally.implementation,
            convergence.steps(tally.steps, race.about["steps"]),
            f"{tally.misses} of {tally.seeds}",
            text.seconds(tally.seconds),
            text.seconds(tally.step_seconds),
            convergence.accuracy(tally.accuracy),
            *([ratio] if against else []),
            ", ".join([*diverged, *_others(tally.statuses)]),
        )
    return table


def _others(statuses: Mapping[str, int]) -> list[str]:
    return [
        f"{_coloured(status)} {count}" for status, count in statuses.items() if status != Status.OK
    ]


def _table(title: str) -> Table:
    from rich import box
    from rich.table import Table

    return Table(
        title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False
    )


def _coloured(outcome: str, said: str | None = None) -> str:
    colour = COLOURS.get(outcome, "red")  # what failed is red
    return f"[{colour}]{said or outcome}[/]"
