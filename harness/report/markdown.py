"""A session's report as one Markdown file and its figures, from the journal alone; the same
journal, the same bytes.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.records import Record, flat
from harness.report import (
    conformance,
    convergence,
    costs,
    disturbances,
    factors,
    figures,
    floors,
    sameness,
    text,
    throughput,
)
from harness.report.details import details
from harness.report.headlines import Headlines
from harness.report.spending import Spending
from harness.report.summary import Completeness, doubted, summary
from harness.report.views import describe, names, of_task, races, sections
from harness.store import Contents

FILE = "report.md"
FIGURES = "figures"
VALUE_LENGTH = 160  # characters of a setting; the journal holds all of it


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
    path.write_text(written.rstrip() + "\n", encoding="utf-8")
    return path


def _context(contents: Contents, session: str, folder: Path) -> dict[str, Any]:
    records = contents.of_session(session)
    about = contents.sessions[session]
    environment = about.get("environment", {})
    return {
        "session": session,
        "time": about.get("time", ""),
        "command": _command(about.get("command", "")),
        "summary": summary(contents, session),
        "conformance": of_task(records, "conformance"),
        "cases": conformance,
        "every_case": details,
        "sections": _speed(records, folder),
        "speed": throughput,
        "headlines": Headlines.of(records),
        "floors": floors,
        "disturbances": disturbances,
        "costs": costs,
        "spending": Spending.of(sections(records)),
        "races": _races(records, folder),
        "convergence": convergence,
        "factors": factors,
        "sameness": sameness,
        "completeness": Completeness.of(contents, session),
        "flagged": [_flagged(record) for record in records if doubted(record)],
        "jobs": _jobs(contents, session),
        "stable": _settings(environment.get("stable", {})),
        "volatile": _settings(environment.get("volatile", {})),
        "fingerprint": environment.get("fingerprint", ""),
        "config": _settings(about.get("config", {})),
        "text": text,
    }


def _speed(records: Sequence[Record], folder: Path) -> list[dict[str, Any]]:
    """Each throughput section with its figures, drawn."""
    look = figures.styles(names(records))
    drawn = []
    for number, section in enumerate(sections(records), 1):
        images, limits = [], []
        for page, cells in enumerate(figures.pages(section), 1):
            images.append(f"{FIGURES}/speed-{number}-{page}.png")
            figures.draw_speed(section, cells, look, folder / images[-1])
            if floors.drawable(cells):
                limits.append(f"{FIGURES}/floor-{number}-{page}.png")
                figures.draw_floors(section, cells, look, folder / limits[-1])
        drawn.append({"section": section, "images": images, "limits": limits})
    return drawn


def _races(records: Sequence[Record], folder: Path) -> list[dict[str, Any]]:
    """Each race with its figure, drawn where there are curves."""
    look = figures.styles(names(records))
    drawn = []
    for number, race in enumerate(races(records), 1):
        image = f"{FIGURES}/curves-{number}.png"
        if any(record.samples for arm in race.arms.values() for record in arm.values()):
            figures.draw_curves(race, look, folder / image)
            drawn.append({"race": race, "image": image})
        else:
            drawn.append({"race": race, "image": None})
    return drawn


def _flagged(record: Record) -> str:
    flags = ", ".join(record.flags)
    return f"{text.code(record.implementation)} {flags} in {describe(record)}"


def _jobs(contents: Contents, session: str) -> list[tuple[str, str, int, str]]:
    """Each job's name, task and number of records, and the settings in which it differs from the
    session's.
    """
    common = flat(contents.sessions[session].get("config", {}))
    return [
        (
            plan.job,
            plan.task,
            len(plan.keys),
            ", ".join(
                f"{key}={value}"
                for key, value in flat(plan.config).items()
                if common.get(key) != value
            ),
        )
        for plan in contents.plans
        if plan.session == session
    ]


def _settings(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Nested settings as pairs of a dotted key and a value in one line."""
    return [(key, text.line(str(value), VALUE_LENGTH)) for key, value in flat(data).items()]


def _command(given: str | Sequence[str]) -> str:
    return given if isinstance(given, str) else shlex.join(given)
