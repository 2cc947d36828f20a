"""Tables of throughput: the cells of each section with their arms, and what each arm came to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from harness import formatting
from harness.analysis.accuracy import has_accuracy, worst_error
from harness.analysis.disturbances import disturbances
from harness.analysis.floors import floor_distance, has_floors
from harness.analysis.moderation import Moderation
from harness.analysis.multiple_testing import CorrectedVerdicts
from harness.analysis.ratios import ratio_to_baseline, ratio_to_floor
from harness.analysis.sections import CellArms, Section, cells_of_several_sessions
from harness.analysis.tallies import SpeedTally, speed_tallies
from harness.analysis.time_budget import time_budget
from harness.records import ThroughputRecord, Verdict
from harness.report import phrases
from harness.report.labels import section_title
from harness.report.terminal import style
from harness.report.terminal.fitting import (
    Column,
    FittingTable,
    Layout,
    Row,
    break_up,
    drop,
    head_rows,
)
from harness.report.terminal.wrapping import Breaks

if TYPE_CHECKING:
    from rich.console import RenderableType

# that a terminal holds; where cells need more, only their overview is shown, and the report has the
# rest
ROWS = 50
# What a narrow terminal goes without, in this order; README.md names it too.
NARROWER = (
    drop("MDE"),
    head_rows,
    drop(phrases.ERROR),
    drop(phrases.FLOOR_SIGN),
    break_up("ratio"),
    drop("median"),
    drop("ratio"),
)


def parts(
    timed: Sequence[Section], verdicts: CorrectedVerdicts, moderation: Moderation
) -> Iterator[RenderableType]:
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
    yield from _paragraph(_about_all(timed, verdicts, moderation))


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


def _about_all(
    timed: Sequence[Section], verdicts: CorrectedVerdicts, moderation: Moderation
) -> list[str]:
    """What holds for all of them: what intervals rest on, the correction, what error and floor
    mean, and where the time went.
    """
    lines = [*phrases.moderated_variances(moderation), *phrases.verdict_correction(verdicts)]
    if any(has_accuracy(section.cells) for section in timed):
        lines.append(f"{phrases.ERROR}: {phrases.ERROR_MEANING}.")
    if any(map(has_floors, timed)):
        lines.append(
            f"{phrases.FLOOR_SIGN}: time over that of the least memory traffic possible; 1 is the "
            "hardware's limit."
        )
    if budget := time_budget(timed):
        lines.append(phrases.time_budget_summary(budget))
    return lines


def _section(section: Section, verdicts: CorrectedVerdicts) -> FittingTable:
    """A row an arm, cell by cell."""
    columns = (
        Column("problem", Breaks.WORDS, most=30),
        Column("implementation", Breaks.NAMES),
        Column("median", right=True),
        Column(phrases.FLOOR_SIGN, right=True),
        Column(phrases.ERROR, right=True),
        Column("ratio", Breaks.RATIOS, right=True, whole=True),
        Column("MDE", right=True),
        Column("verdict", Breaks.WORDS, markup=True),
    )
    rows = tuple(row for cell in section.cells for row in _cell_rows(cell, verdicts))
    title = ", ".join(filter(None, [section_title(section), section.common]))
    table = FittingTable(title, columns, rows, NARROWER)
    table = table if has_accuracy(section.cells) else table.without(phrases.ERROR)
    return table if has_floors(section) else table.without(phrases.FLOOR_SIGN)


def _cell_rows(cell: CellArms, verdicts: CorrectedVerdicts) -> Iterator[Row]:
    for position, (name, record) in enumerate(cell.arms.items()):
        label = "" if position else cell.label
        ends = position == len(cell.arms) - 1
        yield Row((label, name, *_arm(cell, record, verdicts)), ends)


def _arm(cell: CellArms, record: ThroughputRecord, verdicts: CorrectedVerdicts) -> tuple[str, ...]:
    """Median, times the floor, error, ratio, minimum detectable effect and verdict; of the baseline
    its noise.
    """
    if record.figures is None:
        return "", "", "", "", "", style.coloured(record.status)
    median, floor = formatting.seconds(record.figures.median_seconds), ratio_to_floor(record)
    distance = phrases.floor_multiple(floor.estimate if floor else None)
    error = worst_error(record)
    about = median, distance, "" if error is None else formatting.power_of_ten(error)
    flags = [f"[yellow]{flag}[/]" for flag in record.flags]
    if record.implementation == cell.baseline:
        noise = formatting.bounded(cell.canary) if cell.canary else ""
        title = "[dim]baseline, A/A[/]" if noise else "[dim]baseline[/]"
        return *about, noise, "", " ".join([title, *flags])
    ratio, effect = ratio_to_baseline(record), record.figures.minimum_detectable_effect
    withdrawn = phrases.withdrawn_verdict(verdicts, record)
    notes = [*flags, *([f"({withdrawn})"] if withdrawn else [])]
    return (
        *about,
        formatting.bounded(ratio) if ratio else "",
        "" if effect is None else formatting.percent(effect),
        " ".join([style.coloured(verdicts.outcome(record)), *notes]),
    )


def _overview(section: Section, verdicts: CorrectedVerdicts) -> FittingTable:
    """A row an implementation: what it came to over all cells."""
    columns = (
        Column("implementation", Breaks.NAMES),
        *(Column(title, right=True) for title in ("geometric mean", "over cells", *Verdict)),
        Column("other", Breaks.COMMAS),
        Column(phrases.FLOOR_SIGN, right=True),
    )
    rows = [_overview_row(section, tally) for tally in speed_tallies(section, verdicts)]
    if has_floors(section) and section.baseline in section.implementations:
        empty = [""] * (3 + len(Verdict))
        rows.insert(0, Row((section.baseline, *empty, _distance(section, section.baseline))))
    title = f"Time relative to {section.baseline}: {section_title(section)}"
    table = FittingTable(title, columns, tuple(rows), NARROWER_OVERVIEW)
    return table if has_floors(section) else table.without(phrases.FLOOR_SIGN)


def _verdicts_in_words(layout: Layout) -> Layout:
    """One column that names the verdicts in place of a column for each."""
    places = {verdict: layout.index(verdict) for verdict in Verdict}
    other = layout.index("other")
    rows = []
    for row in layout.rows:
        counts = {verdict: row.cells[place] for verdict, place in places.items()}
        words = [f"{verdict} {count}" for verdict, count in counts.items() if count]
        words += [row.cells[other]] if row.cells[other] != formatting.ABSENT else []
        cells = (*row.cells[:other], ", ".join(words), *row.cells[other + 1 :])
        rows.append(replace(row, cells=cells))
    layout = replace(layout, rows=tuple(rows))
    for verdict in Verdict:
        layout = drop(verdict)(layout)
    return layout.renamed("other", "outcomes")


NARROWER_OVERVIEW = (
    drop(phrases.FLOOR_SIGN),
    drop("over cells"),
    _verdicts_in_words,
    drop("geometric mean"),
)


def _overview_row(section: Section, tally: SpeedTally) -> Row:
    mean = tally.geometric_mean
    return Row(
        (
            tally.implementation,
            "" if mean is None else formatting.ratio(mean),
            f"{tally.covered} of {len(section.cells)}",
            *(str(tally.outcomes.get(verdict, "")) for verdict in Verdict),
            phrases.outcomes_without_verdict(tally.outcomes),
            _distance(section, tally.implementation),
        )
    )


def _distance(section: Section, name: str) -> str:
    return phrases.floor_multiple(floor_distance(section, name).mean)
