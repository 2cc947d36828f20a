"""Runs of commands that were killed, or could not close them, come to a true end: by the process,
by the session's file beside the journal, by the journal. Those that may live are left alone.
"""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from mlflow import MlflowClient

from harness import tracking
from harness.config import Config, TrackingConfig
from harness.environment import this_process
from harness.store import Journal, SessionEnd, SessionStart
from harness.store.running import RunningFile, file_of

BOOT, NAMESPACE, PID, START = this_process().split()
HOST = socket.gethostname()
HERE, CONTAINER = f"{BOOT} {NAMESPACE}", f"{BOOT} pid:[1]"
GONE = f"{2**22 + 1} 1"


@pytest.fixture
def journalled(config: Config, tmp_path: Path) -> Config:
    config.journal = str(tmp_path)
    tracking.open_session(config, "mine", {})  # makes the experiment
    return config


def opened(config: Config, session: str, owner: str, kind: str = "session") -> str:
    """A run that a command of that owner has left RUNNING; its id."""
    client = MlflowClient(tracking.tracking_uri(config))
    experiment = client.get_experiment_by_name(str(config.tracking.experiment))
    tags = {"kind": kind, "session": session, "owner": owner}
    return str(client.create_run(experiment.experiment_id, tags=tags).info.run_id)


def began(config: Config, session: str, ago: timedelta = timedelta()) -> None:
    time = (datetime.now(UTC) - ago).isoformat(timespec="seconds")
    Journal(config.journal).begin(SessionStart(session, time))


def states(config: Config, *runs: str) -> list[str]:
    client = MlflowClient(tracking.tracking_uri(config))
    return [client.get_run(run).info.status for run in runs]


@pytest.mark.parametrize("host", [HOST, "another-name"])
def test_a_process_of_this_boot_and_namespace_is_known_whatever_the_hosts_name(
    journalled: Config, host: str
) -> None:
    dead = opened(journalled, "dead", f"{host} {HERE} {GONE}")
    reused = opened(journalled, "reused", f"{host} {HERE} {PID} {int(START) - 1}")
    alive = opened(journalled, "alive", f"{host} {HERE} {PID} {START}")
    assert set(tracking.close_orphans(journalled)) == {dead, reused}
    assert states(journalled, dead, reused, alive) == ["KILLED", "KILLED", "RUNNING"]


def test_a_session_of_another_container_lives_as_long_as_its_file_is_locked(
    journalled: Config,
) -> None:
    began(journalled, "contained")
    run = opened(journalled, "contained", f"container-1 {CONTAINER} 7 1")
    file = RunningFile(journalled.journal, "contained")
    file.path.write_text(f"{CONTAINER} 7 1\ncontainer-1\n")
    assert tracking.close_orphans(journalled) == []
    os.close(file._descriptor)  # as the kernel does when the process is killed
    assert tracking.close_orphans(journalled) == [run]
    assert states(journalled, run) == ["KILLED"]


@pytest.mark.parametrize(
    ("host", "ago", "state"),
    [
        (HOST, timedelta(), "KILLED"),
        ("elsewhere", timedelta(minutes=5), "RUNNING"),
        ("elsewhere", timedelta(days=2), "KILLED"),
    ],
    ids=["this host, started anew", "another host", "another host, long ago"],
)
def test_of_another_boot_the_hosts_name_and_the_journal_tell(
    journalled: Config, host: str, ago: timedelta, state: str
) -> None:
    began(journalled, "s", ago)
    run = opened(journalled, "s", f"{host} another-boot {NAMESPACE} {PID} {START}")
    file = file_of(journalled.journal, "s")
    file.parent.mkdir()
    file.write_text(f"another-boot {NAMESPACE} {PID} {START}\n{host}\n")
    tracking.close_orphans(journalled)
    assert states(journalled, run) == [state]


def test_a_session_that_another_journal_holds_is_not_judged(journalled: Config) -> None:
    run = opened(journalled, "unknown", f"container-1 {CONTAINER} 7 1")
    assert tracking.close_orphans(journalled) == []
    assert states(journalled, run) == ["RUNNING"]


@pytest.mark.parametrize("owner", [f"{HERE} {GONE}", f"{CONTAINER} 7 1", "another-boot n 7 1"])
def test_a_session_whose_end_mlflow_did_not_take_gets_the_one_that_the_journal_has(
    journalled: Config, owner: str
) -> None:
    began(journalled, "ended")
    Journal(journalled.journal).end(SessionEnd("ended", "FAILED"))
    parent = opened(journalled, "ended", f"elsewhere {owner}")
    child = opened(journalled, "ended", f"elsewhere {owner}", kind="record")
    assert set(tracking.close_orphans(journalled)) == {parent, child}
    assert states(journalled, parent, child) == ["FAILED", "KILLED"]


def test_mlflows_own_variables_are_heeded_where_nothing_is_configured_and_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ours, own = Config(results=str(tmp_path)), Config(results=str(tmp_path))
    ours.tracking = TrackingConfig()
    own.tracking = TrackingConfig(uri="sqlite:///mine.db", experiment="mine")
    default = f"sqlite:///{tmp_path}/mlflow.db"
    assert tracking.tracking_uri(ours) == default
    assert tracking.from_variables(ours) == []
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:secret@host")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "theirs")
    assert tracking.tracking_uri(ours) == "http://me:secret@host"
    assert tracking.experiment_name(ours) == "theirs"
    assert tracking.from_variables(ours) == [
        "runs go to MLflow at http://***@host, as MLFLOW_TRACKING_URI says",
        "runs go to MLflow's experiment 'theirs', as MLFLOW_EXPERIMENT_NAME says",
    ]
    assert (tracking.tracking_uri(own), tracking.experiment_name(own)) == (
        "sqlite:///mine.db",
        "mine",
    )
    assert tracking.from_variables(own) == []
