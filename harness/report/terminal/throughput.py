"""Tables of throughput: the cells of each section with their arms, and what each arm came to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from harness import formatting
from harness.analysis.disturbances import disturbances
from harness.analysis.floors import floor_distance, has_floors
from harness.analysis.multiple_testing import CorrectedVerdicts
from harness.analysis.ratios import ratio_to_baseline, ratio_to_floor
from harness.analysis.sections import CellArms, Section, cells_of_several_sessions
from harness.analysis.tallies import SpeedTally, speed_tallies
from harness.analysis.time_budget import time_budget
from harness.records import ThroughputRecord, Verdict
from harness.report import phrases
from harness.report.labels import section_title
from harness.report.terminal import style

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

# that a terminal holds; where cells need more, only their overview is shown, and the report has the
# rest
ROWS = 50


def parts(timed: Sequence[Section], verdicts: CorrectedVerdicts) -> Iterator[RenderableType]:
    """Each section's tables with what has to be known to read them, and beneath what holds for
    all.
    """
    from rich.text import Text

    fits = sum(len(section.records()) for section in timed) <= ROWS
    for section in timed:
        if fits:
            yield _section(section, verdicts)
        if len(section.implementations) > 1:
            yield _overview(section, verdicts)
        yield from _paragraph(_about(section))
    if not fits:
        yield Text(f"{sum(len(section.cells) for section in timed)} cells, each in the report.\n")
    yield from _paragraph(_about_all(timed, verdicts))


def _paragraph(lines: Sequence[str]) -> Iterator[RenderableType]:
    """The lines with an empty one after them; nothing where there are none."""
    from rich.text import Text

    if lines:
        yield Text("\n".join([*lines, ""]))


def _about(section: Section) -> list[str]:
    """What has to be known to read a section's numbers: what disturbed them, and why there is no
    floor.
    """
    found = disturbances(section)
    return [
        *_several_sessions(section),
        *([phrases.disturbance_summary(found)] if found else []),
        *map(formatting.line, phrases.missing_floor_sentences(section)),
    ]


def _several_sessions(section: Section) -> list[str]:
    """Where a time is of one session and a ratio of another."""
    cells = [cell.label for cell in cells_of_several_sessions(section)]
    if not cells:
        return []
    where = phrases.named_cells(cells, section)
    sentence = (
        f"Arms were measured by different sessions in {where}: there compare ratios, each taken "
        "beside the baseline of its own session, and not medians."
    )
    return [sentence]


def _about_all(timed: Sequence[Section], verdicts: CorrectedVerdicts) -> list[str]:
    """What holds for all of them: the correction, the floor's meaning, and where the time went."""
    lines = phrases.verdict_correction(verdicts)
    if any(map(has_floors, timed)):
        lines.append(
            f"{phrases.FLOOR_SIGN}: time over that of the least memory traffic possible; 1 is the "
            "hardware's limit."
        )
    if budget := time_budget(timed):
        lines.append(phrases.time_budget_summary(budget))
    return lines


def _section(section: Section, verdicts: CorrectedVerdicts) -> Table:
    """A row an arm, cell by cell."""
    floors = [phrases.FLOOR_SIGN] if has_floors(section) else []
    title = ", ".join(filter(None, [section_title(section), section.common]))
    table = style.table(style.literal(title))
    table.add_column("problem", overflow="fold", max_width=30)
    table.add_column("implementation", overflow="fold")
    for title in ("median", *floors, "ratio", "MDE"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("verdict")
    for cell in section.cells:
        for position, (name, record) in enumerate(cell.arms.items()):
            median, floor, *rest = _arm(cell, record, verdicts)
            table.add_row(
                "" if position else cell.label,
                style.literal(name),
                median,
                *([floor] if floors else []),
                *rest,
                end_section=position == len(cell.arms) - 1,
            )
    return table


def _arm(cell: CellArms, record: ThroughputRecord, verdicts: CorrectedVerdicts) -> tuple[str, ...]:
    """Median, times the floor, ratio, minimum detectable effect and verdict; of the baseline its
    noise.
    """
    if record.figures is None:
        return "", "", "", "", style.coloured(record.status)
    median, floor = formatting.seconds(record.figures.median_seconds), ratio_to_floor(record)
    distance = phrases.floor_multiple(floor.estimate if floor else None)
    flags = [f"[yellow]{flag}[/]" for flag in record.flags]
    if record.implementation == cell.baseline:
        noise = formatting.bounded(cell.canary) if cell.canary else ""
        title = "[dim]baseline, A/A[/]" if noise else "[dim]baseline[/]"
        return median, distance, noise, "", " ".join([title, *flags])
    ratio, effect = ratio_to_baseline(record), record.figures.minimum_detectable_effect
    withdrawn = phrases.withdrawn_verdict(verdicts, record)
    notes = [*flags, *([f"({withdrawn})"] if withdrawn else [])]
    return (
        median,
        distance,
        formatting.bounded(ratio) if ratio else "",
        "" if effect is None else formatting.percent(effect),
        " ".join([style.coloured(verdicts.outcome(record)), *notes]),
    )


def _overview(section: Section, verdicts: CorrectedVerdicts) -> Table:
    """A row an implementation: what it came to over all cells."""
    title = f"Time relative to {section.baseline}: {section_title(section)}"
    table = style.table(style.literal(title))
    table.add_column("implementation", overflow="fold", min_width=style.NAME)
    for title in ("geometric mean", "over cells", *Verdict):
        table.add_column(title, justify="right")
    table.add_column("other")
    floors = has_floors(section)
    if floors:
        table.add_column(phrases.FLOOR_SIGN, justify="right", no_wrap=True)
    if floors and section.baseline in section.implementations:
        empty = [""] * (3 + len(Verdict))
        table.add_row(style.literal(section.baseline), *empty, _distance(section, section.baseline))
    for tally in speed_tallies(section, verdicts):
        distance = [_distance(section, tally.implementation)] if floors else []
        table.add_row(*_overview_row(section, tally), *distance)
    return table


def _overview_row(section: Section, tally: SpeedTally) -> list[str]:
    mean = tally.geometric_mean
    return [
        style.literal(tally.implementation),
        "" if mean is None else formatting.ratio(mean),
        f"{tally.covered} of {len(section.cells)}",
        *(str(tally.outcomes.get(verdict, "")) for verdict in Verdict),
        phrases.outcomes_without_verdict(tally.outcomes),
    ]


def _distance(section: Section, name: str) -> str:
    return phrases.floor_multiple(floor_distance(section, name).mean)
