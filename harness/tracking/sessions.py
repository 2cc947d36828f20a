"""The parent run of a session: opened by the command, closed by it with a true end state, or by the
next one.

A run whose process was killed outright stays RUNNING in MLflow. So that the next command can
distinguish it from one still at work, every run is tagged with its owner: the host, the process id,
and the process's start time, since process ids are used again.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Literal

import psutil

from harness.records import flat
from harness.tracking.entries import legal, text
from harness.tracking.store import Store, attempt

if TYPE_CHECKING:
    from mlflow.entities import Run

    from harness.config import Config

# the environment variable that takes the parent run's id to the jobs' processes
PARENT_RUN = "BNBENCH_PARENT_RUN"
OWNER = "owner"
KIND = "kind"  # a tag, "session" or "record"
PARENT = "mlflow.parentRunId"
# seconds; a start time is derived from the wall clock, which may be set while a session runs
START_TOLERANCE = 2.0

EndStatus = Literal["FINISHED", "FAILED", "KILLED"]


def open_session(config: Config, session: str, about: Mapping[str, object]) -> str:
    """Begin the session's parent run and return its id. ``about`` is plain data, nested or not,
    kept as parameters.
    """
    with attempt(config, f"open the run of session {session}") as store:
        from mlflow.entities import Param

        tags = {KIND: "session", "session": session, OWNER: owner()}
        run_id: str = store.client.create_run(
            store.experiment_id, run_name=session, tags=tags
        ).info.run_id
        params = [Param(name, text(value)) for name, value in legal(flat(about)).items()]
        store.client.log_batch(run_id, params=params)
        return run_id


def close_session(config: Config, run_id: str, status: EndStatus) -> None:
    """End the parent run, and as KILLED any child that was interrupted while it was written."""
    with attempt(config, f"close the run {run_id} as {status}") as store:
        for child in _running(store, f"tags.`{PARENT}` = '{run_id}'"):
            store.client.set_terminated(child.info.run_id, "KILLED")
        store.client.set_terminated(run_id, status)


def close_orphans(config: Config) -> list[str]:
    """End as KILLED the runs, parents and children, whose process on this host is dead; return
    their ids.
    """
    with attempt(config, "close the runs of dead processes") as store:
        orphans = [
            run.info.run_id for run in _running(store) if _dead(run.data.tags.get(OWNER, ""))
        ]
        for run_id in orphans:
            store.client.set_terminated(run_id, "KILLED")
        return orphans


def owner() -> str:
    """This process: its host, process id, and start in seconds since 1970."""
    return f"{socket.gethostname()} {os.getpid()} {psutil.Process().create_time():.2f}"


def _dead(tag: str) -> bool:
    """Whether the owner was a process of this host that has ended. What ran elsewhere cannot be
    known from here.
    """
    match tag.split():
        case [host, pid, start] if host == socket.gethostname():
            try:
                process = psutil.Process(int(pid))
                same = abs(process.create_time() - float(start)) < START_TOLERANCE
                return not same or process.status() == psutil.STATUS_ZOMBIE
            except psutil.NoSuchProcess:
                return True
        case _:
            return False


def _running(store: Store, condition: str = "") -> Iterator[Run]:
    running = "attributes.status = 'RUNNING'"
    query = f"{running} and {condition}" if condition else running
    token: str | None = None
    while True:
        page = store.client.search_runs([store.experiment_id], query, page_token=token)
        yield from page
        token = page.token
        if not token:
            return
