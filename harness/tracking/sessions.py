"""The parent run of a session: opened by the command, closed by it with a true end state, or by the
next one.

A run whose process was killed outright stays RUNNING in MLflow. So that the next command can
distinguish it from one still at work, every run is tagged with its owner: the host and the process,
as `environment.process` names it. Of a process that is none here, since it is of another container
or of an earlier boot, the session's file beside the journal tells whether it lives.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import psutil

from harness.environment import is_running, this_process
from harness.records import flat
from harness.store import Contents, Journal
from harness.store.running import Owner, file_of, is_locked, is_of_this_machine
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
GIVEN_UP = timedelta(days=1)

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
    """End the parent run, and as KILLED any child that was interrupted while it was written. One
    that was written again goes.
    """
    with attempt(config, f"close the run {run_id} as {status}") as store:
        own = f"tags.`{PARENT}` = '{run_id}'"
        for child in _running(store, own):
            same = f"{own} and tags.key = '{child.data.tags.get('key')}'"
            again = store.client.search_runs(
                [store.experiment_id], f"{same} and attributes.status != 'RUNNING'", max_results=1
            )
            if again:
                store.client.delete_run(child.info.run_id)
            else:
                store.client.set_terminated(child.info.run_id, "KILLED")
        store.client.set_terminated(run_id, status)


def close_orphans(config: Config) -> list[str]:
    """Give those runs, parents and children, whose process is dead the end state that the journal
    has for their session, or else KILLED; return their ids.
    """
    with attempt(config, "close the runs of dead processes") as store:
        owned = [run for run in _running(store) if OWNER in run.data.tags]
        contents = Journal(config.journal).read() if owned else Contents()
        orphans = [run for run in owned if _is_over(run.data.tags, config.journal, contents)]
        for run in orphans:
            end = contents.ends.get(run.data.tags.get("session", ""))
            whole = run.data.tags.get(KIND) == "session"
            store.client.set_terminated(run.info.run_id, end.state if end and whole else "KILLED")
        return [run.info.run_id for run in orphans]


def owner() -> str:
    """This process, and its host: five words."""
    return f"{socket.gethostname()} {this_process()}"


def _is_over(tags: Mapping[str, str], journal: str, contents: Contents) -> bool:
    """Whether the process of a run has ended: by the journal, by the process, by the session's
    file; False where nothing can be known from here.
    """
    session = tags.get("session", "")
    if session in contents.ends:
        return True
    match tags[OWNER].split():
        case [host, pid, start]:  # of early versions
            return host == socket.gethostname() and not _is_same(int(pid), float(start))
        case [host, *words]:
            owner = Owner(" ".join(words), host)
        case _:
            return False
    known = is_running(owner.process)
    if known is not None:
        return not known
    if session not in contents.sessions:
        return host == socket.gethostname() and owner.boot != Owner(this_process()).boot
    return _is_given_up(owner, file_of(journal, session), contents, session)


def _is_given_up(owner: Owner, file: Path, contents: Contents, session: str) -> bool:
    """Of a session whose process means nothing here: of another container, boot or machine."""
    if not file.exists():
        return True
    if is_locked(file):
        return False
    # Locks need not reach other machines: of those, a day without a record is the sign.
    times = [record.time for record in contents.history if record.session == session]
    last = max([contents.sessions[session].time, *times])
    quiet = datetime.now(UTC) - datetime.fromisoformat(last) > GIVEN_UP
    return is_of_this_machine(owner) or quiet


def _is_same(pid: int, start: float) -> bool:
    try:
        process = psutil.Process(pid)
        same: bool = abs(process.create_time() - start) < START_TOLERANCE
        return same and bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
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
