"""A session's folder read as a journal of that session alone, for what compares sessions."""

from __future__ import annotations

from pathlib import Path

from harness.config import UsageError
from harness.records import from_plain
from harness.replay import session_files
from harness.store import Contents, Plan, SessionStart
from harness.store.export import ENVIRONMENT, JOBS, RECORDS


def contents_of(folder: Path) -> tuple[str, Contents]:
    """The session's name, and what its folder holds of it. Raises ``UsageError``."""
    try:
        environment = session_files.read_file(folder / ENVIRONMENT, session_files.environment)
        plans = session_files.read_lines(folder / JOBS, _plan)
        records = session_files.read_lines(folder / RECORDS, session_files.record)
    except FileNotFoundError as error:
        raise UsageError(
            f"{folder} has no {Path(error.filename).name}, so it is no finished session; those are "
            "in the folders under bnbench-results/reports/"
        ) from None
    name = plans[0].session if plans else folder.resolve().name
    contents = Contents(
        sessions={name: SessionStart(name, environment=environment)},
        plans=plans,
        records={record.key: record for record in records},
        history=records,
    )
    return name, contents


def _plan(data: object) -> Plan:
    return from_plain(data, Plan)
