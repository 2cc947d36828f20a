"""What a run was, wherever it was recorded: in the journal, in a session's folder, or on its MLflow
run.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness import tracking
from harness.analysis.completeness import Completeness, completeness
from harness.config import Config, UsageError
from harness.config.disk_errors import is_folder
from harness.config.usage import shortened
from harness.environment import Environment
from harness.records import AnyRecord, Status
from harness.replay import session_files
from harness.store import Contents, Journal
from harness.store.export import ENVIRONMENT, JOBS, RECORDS

MLFLOW_RUN = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Original:
    """A record, the resolved configuration of the job that made it, and where it was made."""

    record: AnyRecord
    config: Mapping[str, object]
    environment: Environment


def find(run: str, config: Config, announce: Callable[[Completeness], None]) -> list[Original]:
    """The records of ``run``: a session's name or folder, a record's key, or an id of MLflow's.

    ``config`` says where the journal and MLflow's store are. How much of a session is there is
    announced. Raises ``UsageError`` where there is no such run.
    """
    contents = Journal(config.journal).read()
    found = (
        _in_folder(Path(run), run, announce)
        if is_folder(run)
        else _in_journal(run, contents, announce)
    )
    if not found and MLFLOW_RUN.fullmatch(run) and config.tracking.enabled:
        found = _in_mlflow(run, config, announce)
    if not found:
        known = ", ".join(list(contents.sessions)[-3:]) or "none"
        raise UsageError(
            f"there is no run {shortened(run)!r} in {config.journal} nor in MLflow at "
            f"{tracking.tracking_uri(config)}; give a session (the last ones: {known}), a record's "
            "key, an id of MLflow's, or a session's folder, and with results=FOLDER say where it "
            "was run"
        )
    return found


def _in_journal(
    run: str, contents: Contents, announce: Callable[[Completeness], None]
) -> list[Original]:
    found = []
    records = contents.of_session(run)
    if run in contents.sessions:
        facts = completeness(contents, run)
        announce(facts)
        if not records:
            raise UsageError(
                f"session {run} has no record to replay: it planned {facts.planned} and measured "
                "none; run its command again with resume=true"
            )
    for record in records or _of_key(run, contents):
        plans = [plan for plan in contents.plans_of(record.session) if record.key in plan.keys]
        if plans:
            environment = contents.sessions[record.session].environment
            found.append(Original(record, plans[-1].config, environment))
    return found


def _of_key(key: str, contents: Contents) -> list[AnyRecord]:
    """The first record that is OK, since later ones are replays of it; else the newest."""
    records = [record for record in contents.history if record.key == key]
    right = [record for record in records if record.status is Status.OK]
    return [*right, *reversed(records)][:1]


def _in_folder(folder: Path, name: str, announce: Callable[[Completeness], None]) -> list[Original]:
    try:
        environment = session_files.read_file(folder / ENVIRONMENT, session_files.environment)
        jobs = session_files.read_lines(folder / JOBS, session_files.job)
        records = session_files.read_lines(folder / RECORDS, session_files.record)
    except FileNotFoundError as error:
        raise UsageError(
            f"{name} has no {Path(error.filename).name}, so it is no finished session; those are "
            "in the folders under bnbench-results/reports/, and on the parent runs of MLflow's"
        ) from None
    configs = {key: job.config for job in jobs for key in job.keys}
    unplanned = [record.key for record in records if record.key not in configs]
    if unplanned:
        raise UsageError(
            f"{name}: {RECORDS} has records that are not in {JOBS}, {', '.join(unplanned)}; the "
            "folder is not as the session left it, so nothing of it is replayed"
        )
    missing = len(configs.keys() - {record.key for record in records})
    announce(Completeness(planned=len(configs), missing=missing))
    return [Original(record, configs[record.key], environment) for record in records]


def _in_mlflow(
    run: str, config: Config, announce: Callable[[Completeness], None]
) -> list[Original]:
    with tempfile.TemporaryDirectory() as folder:
        try:
            tracking.fetch(config, run, Path(folder))
        except tracking.TrackingError as error:
            raise UsageError(str(error)) from error
        alone = Path(folder) / tracking.RUN_FILE
        if alone.exists():
            return [session_files.read_file(alone, _original)]
        return _in_folder(Path(folder), f"MLflow's run {run}", announce)


def _original(data: object) -> Original:
    recorded = session_files.run(data)
    return Original(
        session_files.record(recorded.record),
        recorded.config,
        session_files.environment_of(recorded.environment),
    )
