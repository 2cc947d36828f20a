"""What a run was, wherever it was written down: in the journal, in a session's folder, or on its MLflow run."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import tracking
from harness.config import Config, UsageError
from harness.export import ENVIRONMENT, JOBS, RECORDS
from harness.journal import Contents, Journal
from harness.records import Record

MLFLOW_RUN = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Original:
    """A record, the resolved configuration of the job that made it, and where it was made: ``stable`` and ``volatile``."""

    record: Record
    config: Mapping[str, Any]
    environment: Mapping[str, Any]


def find(run: str, config: Config) -> list[Original]:
    """The run of that name, or all of a session's: a session's folder or name, a record's key, or an id of MLflow's.

    ``config`` says where the journal and MLflow's store are. Raises ``UsageError`` where there is no such run.
    """
    contents = Journal(config.journal).read()
    found = _in_folder(Path(run)) if Path(run).is_dir() else _in_journal(run, contents)
    if not found and MLFLOW_RUN.fullmatch(run) and config.tracking.enabled:
        found = _in_mlflow(run, config)
    if not found:
        known = ", ".join(list(contents.sessions)[-3:]) or "none"
        raise UsageError(f"there is no run {run!r} in {config.journal} nor in MLflow at {tracking.tracking_uri(config)}; give "
                         f"a session (the last ones: {known}), a record's key, an id of MLflow's, or a session's folder, and "
                         "with results=FOLDER say where it was run")
    return found


def _in_journal(run: str, contents: Contents) -> list[Original]:
    records = contents.of_session(run) or [record for record in contents.history if record.key == run][-1:]
    found = []
    for record in records:
        configs = [plan.config for plan in contents.plans if plan.session == record.session and record.key in plan.keys]
        if configs:
            found.append(Original(record, configs[-1], contents.sessions[record.session]["environment"]))
    return found


def _in_folder(folder: Path) -> list[Original]:
    try:
        environment = json.loads((folder / ENVIRONMENT).read_text(encoding="utf-8"))
        jobs, records = (_lines(folder / name) for name in (JOBS, RECORDS))
    except FileNotFoundError as error:
        raise UsageError(f"{folder} has no {Path(error.filename).name}, so it is no folder of a session; those are under "
                         "bnbench-results/reports/") from None
    configs = {key: job["config"] for job in jobs for key in job["keys"]}
    return [Original(record, configs[record.key], environment) for record in map(Record.from_data, records)
            if record.key in configs]


def _in_mlflow(run: str, config: Config) -> list[Original]:
    with tempfile.TemporaryDirectory() as folder:
        try:
            tracking.fetch(config, run, Path(folder))
        except tracking.TrackingError as error:
            raise UsageError(str(error)) from error
        alone = Path(folder) / tracking.RUN_FILE
        if not alone.exists():
            return _in_folder(Path(folder))
        said = json.loads(alone.read_text(encoding="utf-8"))
        return [Original(Record.from_data(said["record"]), said["config"], said["environment"])]


def _lines(path: Path) -> Iterable[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
