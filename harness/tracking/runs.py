"""The child run of a record, and a session's files. Called between measurements: a child costs tens
of milliseconds.
"""

from __future__ import annotations

import time
from dataclasses import asdict
from itertools import starmap
from pathlib import Path
from typing import TYPE_CHECKING

from harness.records import published, record_to_plain, to_json, to_plain
from harness.tracking.entries import entry
from harness.tracking.sessions import KIND, OWNER, PARENT, owner
from harness.tracking.store import attempt

if TYPE_CHECKING:
    from harness.config import Config
    from harness.environment import Environment
    from harness.records import AnyRecord

RUN_FILE = "run.json"


def log_record(
    config: Config, parent_run_id: str, record: AnyRecord, environment: Environment | None = None
) -> str:
    """Write the record as a child of the parent run and return the child's id.

    Its file ``run.json`` holds what a replay needs: the record, the resolved configuration and the
    environment. A client is used, never the process's active run, so that threads cannot mix runs
    up.
    """
    now = int(time.time() * 1000)
    with attempt(config, f"log a record of {record.implementation}") as store:
        from mlflow.entities import Metric, Param

        logged = entry(record)
        tags = {**logged.tags, KIND: "record", OWNER: owner(), PARENT: parent_run_id}
        run_id: str = store.client.create_run(
            store.experiment_id, run_name=logged.name, tags=tags
        ).info.run_id
        store.client.log_batch(
            run_id,
            metrics=[Metric(name, value, now, step) for name, value, step in logged.metrics],
            params=list(starmap(Param, logged.params.items())),
        )
        whole = {
            "record": record_to_plain(record),
            "config": asdict(config),
            "environment": None if environment is None else environment.to_data(),
        }
        store.client.log_text(run_id, to_json(published(to_plain(whole))), RUN_FILE)
        store.client.set_terminated(run_id, logged.status)
        return run_id


def fetch(config: Config, run_id: str, folder: Path) -> None:
    """Bring the files of a run, of a record or of a session, into ``folder``. Raises
    ``TrackingError`` for no such run.
    """
    with attempt(config, f"fetch the files of the run {run_id}") as store:
        store.client.download_artifacts(run_id, "", str(folder))


def log_artifacts(config: Config, parent_run_id: str, folder: Path) -> None:
    """Put every file of ``folder``, its subfolders too, on the session's parent run."""
    with attempt(config, f"log the files of {folder}") as store:
        store.client.log_artifacts(parent_run_id, str(folder))
