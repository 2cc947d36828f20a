"""Eight processes that use a fresh store for the first time at one moment; and what is said of a
store that cannot be used.
"""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from mlflow import MlflowClient

from harness.config import Config, TrackingConfig
from harness.tracking import store
from harness.tracking.store import TrackingError, attempt

WRITERS = 8
RECORDS = 3
STEPS = 25
RACE = """
import os, sys
from dataclasses import replace
import mlflow.store.tracking.sqlalchemy_store  # slow, and so once, before the processes part
from harness import tracking
from harness.config import Config, TrackingConfig
from tests.helpers.made_records import training_record

results, writers, records, steps = sys.argv[1], *map(int, sys.argv[2:])
config = Config(results=results, tracking=TrackingConfig(experiment="raced for"))

def write(number):
    session = f"session-{number}"
    parent = tracking.open_session(config, session, {})
    losses = tuple(number + step / 100 for step in range(steps))
    for index in range(records):
        record = training_record(losses, number, seed=index, session=session)
        identity = replace(record.identity, implementation=f"arm-{number}")
        tracking.log_record(config, parent, replace(record, identity=identity))
    tracking.close_session(config, parent, "FINISHED")

gate, opener = os.pipe()
for number in range(writers):
    if os.fork() == 0:
        os.close(opener)
        os.read(gate, 1)  # returns when the last opener is closed: they start together
        write(number)
        os._exit(0)
os.close(opener)
sys.exit(sum(os.wait()[1] != 0 for _ in range(writers)))
"""


@pytest.mark.parametrize(
    ("uri", "remedy"),
    [
        ("mlruns", "Give a database of SQLite's, as tracking.uri=sqlite:///"),
        ("ftp://x", "or the address of a server, as tracking.uri=http://HOST:PORT"),
        ("sqlite:////dev/null/x/mlflow.db", "See that the place can be written"),
    ],
)
def test_a_store_that_cannot_be_is_told_with_its_own_remedy_and_leaves_nothing(
    tmp_path: Path, uri: str, remedy: str
) -> None:
    config = Config(results=str(tmp_path / "r"), tracking=TrackingConfig(uri=uri))
    with pytest.raises(TrackingError) as told, attempt(config, "be used"):
        pass
    assert remedy in str(told.value)
    assert len(str(told.value)) < 700
    assert list(tmp_path.iterdir()) == []


def test_the_database_of_another_program_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    database = tmp_path / "shop.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("create table orders (number integer)")
        connection.commit()
    before = database.read_bytes()
    config = Config(tracking=TrackingConfig(uri=f"sqlite:///{database}"))
    with (
        pytest.raises(TrackingError, match="another program, with the tables orders; name one"),
        attempt(config, "be used"),
    ):
        pass
    assert database.read_bytes() == before


def test_a_store_that_was_killed_while_it_was_made_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(_engine: object) -> None:
        raise KeyboardInterrupt

    database = tmp_path / "results/mlflow.db"
    uri = f"sqlite:///{database}"
    with monkeypatch.context() as killed:
        killed.setattr("mlflow.store.db.utils._initialize_tables", half)
        with pytest.raises(KeyboardInterrupt):
            store._create_database(uri)
    assert not database.exists()
    monkeypatch.setattr("mlflow.store.db.utils._initialize_tables", lambda _: None)
    store._create_database(uri)
    assert [path.name for path in database.parent.iterdir()] == ["mlflow.db"]


@pytest.mark.slow
def test_eight_processes_on_a_fresh_store_lose_nothing_and_mix_up_nothing(
    tmp_path: Path, start_python: Callable[..., subprocess.Popen[str]]
) -> None:
    race = start_python(RACE, str(tmp_path), str(WRITERS), str(RECORDS), str(STEPS))
    race.communicate()
    assert race.returncode == 0, f"{race.returncode} of {WRITERS} processes failed"

    client = MlflowClient(f"sqlite:///{tmp_path / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("raced for")
    assert experiment is not None
    assert client.search_runs(["0"]) == []
    runs = client.search_runs([experiment.experiment_id])
    assert {run.info.status for run in runs} == {"FINISHED"}
    parents = {
        run.data.tags["session"]: run.info.run_id
        for run in runs
        if run.data.tags["kind"] == "session"
    }
    children = [run for run in runs if run.data.tags["kind"] == "record"]
    assert len(parents) == WRITERS
    assert len(children) == len({run.data.tags["key"] for run in children}) == WRITERS * RECORDS
    for child in children:
        number = int(child.data.metrics["final_accuracy"])
        assert child.data.tags["mlflow.parentRunId"] == parents[f"session-{number}"]
        losses = client.get_metric_history(child.info.run_id, "loss")
        assert [point.value for point in losses] == [number + step / 100 for step in range(STEPS)]
