"""Writing a session's report; the same journal gives the same bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness import formatting
from harness.analysis import floors
from harness.analysis.accuracy import points
from harness.analysis.completeness import completeness, flagged, own_settings
from harness.analysis.disturbances import disturbances as disturbances_of
from harness.analysis.moderation import moderate
from harness.analysis.multiple_testing import correct_verdicts
from harness.analysis.sections import Section, sections
from harness.analysis.selection import case_records, implementations
from harness.analysis.time_budget import time_budget
from harness.analysis.training_groups import TrainingGroup, training_groups
from harness.config.shell import shell_command
from harness.records import AnyRecord, flat
from harness.report import figures, labels, phrases
from harness.report.arm_settings import arm_sentences
from harness.report.markdown import (
    accuracy,
    case_details,
    conformance,
    costs,
    disturbances,
    equivalence,
    step_factors,
    throughput,
    time_budget_table,
    training,
)
from harness.report.markdown.summary import summary
from harness.store import Contents

FILE = "report.md"
FIGURES = "figures"
# Sections, or groups of trainings, of which all are drawn. A figure takes 0.3 s, more than a small
# job of a sweep, and one of a single cell, or seed, shows little that its table does not.
FEW = 4
MOST_DRAWN = 24  # of more than a few
VALUE_LENGTH = 160  # characters of a setting; the journal holds all of it


@dataclass(frozen=True)
class DrawnSection:
    """A section with the paths of its figures: of speed, of distances from the floor, and of speed
    against accuracy. It has none where it was ``left_out``.
    """

    section: Section
    speed: tuple[str, ...]
    floors: tuple[str, ...]
    accuracy: tuple[str, ...]
    left_out: bool = False


@dataclass(frozen=True)
class DrawnGroup:
    """A group of trainings with the path of its figure, None where there are no curves, or it was
    ``left_out``.
    """

    group: TrainingGroup
    curves: str | None
    left_out: bool = False


@dataclass(frozen=True)
class JobSummary:
    """One job of the session, with the settings in which it differs from the session's."""

    name: str
    task: str
    records: int
    settings: str


def write(contents: Contents, session: str, folder: Path) -> Path:
    """Write ``report.md`` and ``figures/*.png`` about ``session`` into ``folder``, made if absent;
    the former's path.

    Raises ValueError for a session that the journal does not hold.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

    if session not in contents.sessions:
        raise ValueError(
            f"the journal holds no session {session!r}; it holds "
            f"{', '.join(contents.sessions) or 'none'}"
        )
    (folder / FIGURES).mkdir(parents=True, exist_ok=True)
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    written = templates.get_template("report.md.j2").render(_context(contents, session, folder))
    path = folder / FILE
    path.write_text(written.rstrip() + "\n", encoding="utf-8", errors="backslashreplace")
    return path


def _context(contents: Contents, session: str, folder: Path) -> dict[str, object]:
    """What the templates are given: facts, and the modules that render them."""
    moderation, start = moderate(contents.of_session(session)), contents.sessions[session]
    records = moderation.records
    return {
        "session": session,
        "time": start.time,
        "command": _command(start.command),
        "summary": summary(contents, session, moderation),
        "arms": list(arm_sentences(records, formatting.code)),
        "cases": case_records(records),
        "sections": _draw_sections(records, folder),
        "moderation": moderation,
        "verdicts": correct_verdicts(records),
        "budget": time_budget(sections(records)),
        "trainings": _draw_groups(records, folder),
        "completeness": completeness(contents, session),
        "flagged": [_flags(record) for record in flagged(records)],
        "jobs": _jobs(contents, session),
        "stable": _settings(start.environment.stable),
        "volatile": _settings(start.environment.volatile),
        "fingerprint": start.environment.fingerprint,
        "config": _settings(start.config),
        "accuracy": accuracy,
        "case_details": case_details,
        "conformance": conformance,
        "costs": costs,
        "disturbances": disturbances,
        "disturbances_of": disturbances_of,
        "equivalence": equivalence,
        "floors": floors,
        "formatting": formatting,
        "few": FEW,
        "most_drawn": MOST_DRAWN,
        "labels": labels,
        "phrases": phrases,
        "step_factors": step_factors,
        "throughput": throughput,
        "time_budget_table": time_budget_table,
        "training": training,
    }


def _draw_sections(records: Sequence[AnyRecord], folder: Path) -> list[DrawnSection]:
    looks = figures.styles(implementations(records))
    found = sections(records)
    drawn = _worth_drawing([len(section.cells) for section in found])
    return [
        _draw_section(section, number, looks, folder)
        if number in drawn
        else DrawnSection(section, (), (), (), left_out=True)
        for number, section in enumerate(found, 1)
    ]


def _worth_drawing(sizes: Sequence[int]) -> list[int]:
    """Which of a report's sections get figures, counted from 1, by how many cells each has: all of
    a few, and of a sweep's many those of several cells.
    """
    numbers = list(range(1, len(sizes) + 1))
    if len(sizes) <= FEW:
        return numbers
    return [number for number in numbers if sizes[number - 1] > 1][:MOST_DRAWN]


def _draw_section(
    section: Section, number: int, looks: Mapping[str, figures.Style], folder: Path
) -> DrawnSection:
    speed, limits, errors = [], [], []
    for page, cells in enumerate(figures.pages(section), 1):
        speed.append(f"{FIGURES}/speed-{number}-{page}.png")
        figures.draw_speed(section, cells, looks, folder / speed[-1])
        if floors.any_floor(cells):
            limits.append(f"{FIGURES}/floor-{number}-{page}.png")
            figures.draw_floors(section, cells, looks, folder / limits[-1])
        if any(map(points, cells)):
            errors.append(f"{FIGURES}/accuracy-{number}-{page}.png")
            figures.draw_accuracy(section, cells, looks, folder / errors[-1])
    return DrawnSection(section, tuple(speed), tuple(limits), tuple(errors))


def _draw_groups(records: Sequence[AnyRecord], folder: Path) -> list[DrawnGroup]:
    looks = figures.styles(implementations(records))
    groups = training_groups(records)
    drawn = _worth_drawing([len(group.seeds) for group in groups])
    return [
        _draw_group(group, number, looks, folder)
        if number in drawn
        else DrawnGroup(group, None, left_out=True)
        for number, group in enumerate(groups, 1)
    ]


def _draw_group(
    group: TrainingGroup, number: int, looks: Mapping[str, figures.Style], folder: Path
) -> DrawnGroup:
    has_curves = any(record.samples for arm in group.arms.values() for record in arm.values())
    if not has_curves:
        return DrawnGroup(group, None)
    image = f"{FIGURES}/curves-{number}.png"
    figures.draw_curves(group, looks, folder / image)
    return DrawnGroup(group, image)


def _flags(record: AnyRecord) -> str:
    name, flags = formatting.code(record.implementation), ", ".join(record.flags)
    return f"{name} {flags} in {labels.describe(record)}"


def _jobs(contents: Contents, session: str) -> list[JobSummary]:
    jobs = []
    for plan in contents.plans_of(session):
        settings = (f"{key}={value}" for key, value in own_settings(contents, plan).items())
        jobs.append(JobSummary(plan.job, plan.task, len(plan.keys), ", ".join(settings)))
    return jobs


def _settings(data: Mapping[str, object]) -> list[tuple[str, str]]:
    """Nested settings as pairs of a dotted key and a value in one line."""
    return [(key, formatting.line(str(value), VALUE_LENGTH)) for key, value in flat(data).items()]


def _command(given: str | Sequence[str]) -> str:
    return given if isinstance(given, str) else shell_command(given)
