"""The child run of a record, and a session's files. Called between measurements: a child costs tens
of milliseconds.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict
from itertools import starmap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.tracking.entries import entry
from harness.tracking.sessions import KIND, OWNER, PARENT, owner
from harness.tracking.store import attempt

if TYPE_CHECKING:
    from harness.config import Config
    from harness.records import Record

RUN_FILE = "run.json"


def log_record(
    config: Config, parent_run_id: str, record: Record, environment: Mapping[str, Any] | None = None
) -> str:
    """Write the record as a child of the parent run and return the child's id.

    Its file ``run.json`` holds all that running it again takes: the record, the resolved
    configuration and the environment. It speaks to MLflow through a client, never through the
    process's active run, so that threads cannot mix runs up.
    """
    now = int(time.time() * 1000)
    with attempt(config, f"log a record of {record.implementation}") as store:
        from mlflow.entities import Metric, Param

        said = entry(record)
        tags = {**said.tags, KIND: "record", OWNER: owner(), PARENT: parent_run_id}
        run_id: str = store.client.create_run(
            store.experiment_id, run_name=said.name, tags=tags
        ).info.run_id
        store.client.log_batch(
            run_id,
            metrics=[Metric(name, value, now, step) for name, value, step in said.metrics],
            params=list(starmap(Param, said.params.items())),
        )
        whole = {
            "record": json.loads(record.to_json()),
            "config": asdict(config),
            "environment": environment,
        }
        store.client.log_text(run_id, json.dumps(whole, sort_keys=True), RUN_FILE)
        store.client.set_terminated(run_id, said.status)
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
