"""Sessions and records in a real store: what is written is what is read, and end states are
true.
"""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import psutil
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from harness import tracking
from harness.config import Config, TrackingConfig
from harness.records import CaseCell, Cost, Seconds, Status
from harness.tracking.store import DEFAULTS
from tests.helpers.made_records import case_record, throughput_record, training_record

DIES_WHILE_WRITING = """
import os, signal, sys
from mlflow import MlflowClient
from harness import tracking
from harness.config import Config, TrackingConfig
from tests.helpers.made_records import throughput_record

config = Config(results=sys.argv[1], tracking=TrackingConfig(experiment=sys.argv[2]))
parent = tracking.open_session(config, "doomed", {})
MlflowClient.log_batch = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
tracking.log_record(config, parent, throughput_record())
"""

WATCHES_THE_IMPORT = """
import os, sys

class Watch:
    @staticmethod
    def find_spec(name, *_):
        if name == "mlflow":
            print(os.environ.get("MLFLOW_DISABLE_TELEMETRY"))

os.environ.pop("MLFLOW_DISABLE_TELEMETRY", None)
sys.meta_path.insert(0, Watch)
from harness import tracking
from harness.config import Config, TrackingConfig

tracking.open_session(Config(results=sys.argv[1], tracking=TrackingConfig()), "session-1", {})
"""


def runs_of(config: Config) -> dict[str, Run]:
    client = MlflowClient(tracking.tracking_uri(config))
    experiment = client.get_experiment_by_name(config.tracking.experiment)
    assert experiment is not None
    return {run.info.run_id: run for run in client.search_runs([experiment.experiment_id])}


def test_a_record_is_a_child_with_its_parameters_tags_and_metrics(config: Config) -> None:
    parent = tracking.open_session(
        config, "session-1", {"command": "bnbench run", "machine": {"cpu": "some"}}
    )
    cost = Cost(first_call_seconds=Seconds(0.25))
    child = tracking.log_record(config, parent, throughput_record(cost=cost))
    run = runs_of(config)[child]
    assert run.info.run_name == "numpy backward 32×64×56×56 float32 residual"
    assert run.info.status == "FINISHED"
    assert (
        run.data.params.items()
        >= {
            "implementation": "numpy",
            "shape": "[32, 64, 56, 56]",
            "dtype": "float32",
            "activation": "null",
            "residual": "true",
            "phase": "backward",
            "threads": "2",
            "version": "2",
            "launches": "8",
        }.items()
    )
    assert run.data.metrics == {
        "median_seconds": 0.5,
        "ratio.estimate": 0.8,
        "ratio.low": 0.7,
        "ratio.high": 0.9,
        "launches": 0.0,
        "blocks": 0.0,
        "calls": 0.0,
        "unsteady_launches": 0.0,
        "cost.first_call_seconds": 0.25,
    }
    assert run.data.tags["mlflow.parentRunId"] == parent
    assert run.data.tags["verdict"] == "FASTER"
    assert runs_of(config)[parent].data.params == {"command": "bnbench run", "machine.cpu": "some"}


def test_a_wrong_record_is_a_failed_run_with_its_reason_and_no_metric(config: Config) -> None:
    parent = tracking.open_session(config, "session-1", {})
    child = tracking.log_record(config, parent, throughput_record(status=Status.WRONG))
    run = runs_of(config)[child]
    assert run.info.status == "FAILED"
    assert run.data.tags["status"] == "WRONG"
    assert run.data.tags["reason"] == "it was WRONG"
    assert run.data.metrics == {}


def test_a_curve_longer_than_a_batch_arrives_whole_and_in_order(config: Config) -> None:
    losses = tuple(1 / step for step in range(1, 2502))
    parent = tracking.open_session(config, "session-1", {})
    child = tracking.log_record(config, parent, training_record(losses))
    history = MlflowClient(tracking.tracking_uri(config)).get_metric_history(child, "loss")
    assert [(point.step, point.value) for point in history] == [
        (step, 1 / step) for step in range(1, 2502)
    ]


def test_names_and_values_that_mlflow_refuses_still_reach_it(config: Config) -> None:
    parent = tracking.open_session(config, "session-1", {"a=b, [c]": 1, "../up": "x" * 9000})
    case = CaseCell("data/nan", "cpu", 1, definition={"shape[0]": 1, "a@b": 2, "a=b": 3})
    record = case_record()
    identity = replace(record.identity, cell=case)
    child = tracking.log_record(config, parent, replace(record, identity=identity))
    runs = runs_of(config)
    assert runs[child].data.params.items() >= {"shape_0_": "1", "a_b": "2", "a_b_": "3"}.items()
    assert runs[parent].data.params["a_b_ _c_"] == "1"


@pytest.mark.parametrize("status", ["FINISHED", "FAILED", "KILLED"])
def test_a_session_ends_with_the_given_status(config: Config, status: tracking.EndStatus) -> None:
    parent = tracking.open_session(config, "session-1", {})
    assert runs_of(config)[parent].info.status == "RUNNING"
    tracking.close_session(config, parent, status)
    assert runs_of(config)[parent].info.status == status


def test_a_child_that_was_interrupted_while_written_is_killed_with_its_session(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    parent, other = (tracking.open_session(config, name, {}) for name in ("interrupted", "other"))
    monkeypatch.setattr(MlflowClient, "log_batch", interrupt)
    with pytest.raises(KeyboardInterrupt):
        tracking.log_record(config, parent, throughput_record())
    tracking.close_session(config, parent, "KILLED")
    runs = runs_of(config)
    assert runs.pop(other).info.status == "RUNNING"
    assert [run.info.status for run in runs.values()] == ["KILLED", "KILLED"]


def test_a_child_that_was_written_again_since_the_store_was_locked_is_there_once(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lock(*_: object, **__: object) -> None:
        raise sqlite3.OperationalError("database is locked")

    parent = tracking.open_session(config, "session-1", {})
    with monkeypatch.context() as locked:
        locked.setattr(MlflowClient, "set_terminated", lock)
        with pytest.raises(tracking.TrackingError, match="database is locked") as caught:
            tracking.log_record(config, parent, throughput_record())
    assert caught.value.busy
    child = tracking.log_record(config, parent, throughput_record())
    tracking.close_session(config, parent, "FINISHED")
    states = {run_id: run.info.status for run_id, run in runs_of(config).items()}
    assert states == {parent: "FINISHED", child: "FINISHED"}


def test_runs_of_a_dead_process_are_closed_and_others_left_alone(
    config: Config, start_python: Callable[..., subprocess.Popen[str]]
) -> None:
    alive = tracking.open_session(config, "alive", {})
    process = start_python(DIES_WHILE_WRITING, config.results, config.tracking.experiment)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    doomed = runs_of(config).keys() - {alive}
    assert len(doomed) == 2  # a parent and its half-written child
    assert set(tracking.close_orphans(config)) == doomed
    runs = runs_of(config)
    assert {runs[run_id].info.status for run_id in doomed} == {"KILLED"}
    assert runs[alive].info.status == "RUNNING"
    assert tracking.close_orphans(config) == []


def test_an_early_versions_process_is_known_by_its_start_time_too_and_other_hosts_are_not_judged(
    config: Config,
) -> None:
    client = MlflowClient(tracking.tracking_uri(config))
    alive = tracking.open_session(config, "alive", {})
    experiment = runs_of(config)[alive].info.experiment_id
    start = psutil.Process().create_time()
    owners = {
        "reused": f"{socket.gethostname()} {os.getpid()} {start - 60}",
        "elsewhere": f"elsewhere {2**22 + 1} 0",
        "alive": f"{socket.gethostname()} {os.getpid()} {start}",
    }
    made = {
        name: client.create_run(experiment, tags={"owner": tag}).info.run_id
        for name, tag in owners.items()
    }
    client.create_run(experiment, run_name="somebody's own, without an owner")
    assert tracking.close_orphans(config) == [made["reused"]]


def test_files_of_a_session_are_on_its_parent_run_and_stay_in_the_results(
    config: Config, tmp_path: Path
) -> None:
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "ratios.svg").write_text("<svg/>")
    (tmp_path / "config.yaml").write_text("seed: 0\n")
    parent = tracking.open_session(config, "session-1", {})
    tracking.log_artifacts(config, parent, tmp_path)
    kept = (
        Path(config.results)
        / "mlflow-artifacts"
        / config.tracking.experiment
        / parent
        / "artifacts"
    )
    assert (kept / "figures" / "ratios.svg").read_text() == "<svg/>"
    assert (kept / "config.yaml").read_text() == "seed: 0\n"


def test_links_lead_to_the_runs_of_the_latest_session_that_have_figures(config: Config) -> None:
    assert tracking.latest_session(config) is None
    tracking.open_session(config, "older", {})
    parent = tracking.open_session(config, "latest", {})
    tracking.log_record(config, parent, throughput_record(status=Status.TIMEOUT))
    children = {tracking.log_record(config, parent, throughput_record()) for _ in range(2)}
    assert tracking.latest_session(config) == parent
    assert set(tracking.records_of(config, parent, "throughput")) == children
    assert tracking.records_of(config, parent, "convergence") == []
    experiment = runs_of(config)[parent].info.experiment_id
    base = "http://127.0.0.1:5000"
    found = dict(tracking.links(config, parent, {"throughput": sorted(children)}, base + "/"))
    first, second = sorted(children)
    assert (
        found["all runs"] == f"{base}/#/experiments/{experiment}/runs?workflowType=machine_learning"
    )
    assert found["this session"] == f"{base}/#/experiments/{experiment}/runs/{parent}"
    assert unquote(found["throughput side by side"]) == (
        f'{base}/#/compare-runs?runs=["{first}","{second}"]&experiments=["{experiment}"]'
    )
    many = dict(tracking.links(config, parent, {"throughput": ["x"] * 50}))[
        "throughput side by side"
    ]
    assert unquote(many).count('"x"') == 20
    assert "throughput side by side" not in dict(
        tracking.links(config, parent, {"throughput": [first]})
    )


def test_a_store_elsewhere_is_used_when_the_configuration_names_it(
    config: Config, tmp_path: Path
) -> None:
    database = tmp_path / "made for it" / "other.db"
    config.tracking.uri = f"sqlite:///{database}"
    parent = tracking.open_session(config, "session-1", {})
    assert database.exists()
    assert list(runs_of(config)) == [parent]


def test_a_server_that_is_not_there_is_an_error_that_says_what_to_do(config: Config) -> None:
    config.tracking.uri = "http://name:secret@127.0.0.1:9"
    with pytest.raises(tracking.TrackingError) as caught:
        tracking.open_session(config, "session-1", {})
    message = str(caught.value)
    assert "open the run of session session-1" in message
    assert "127.0.0.1:9" in message
    assert "tracking.enabled=false" in message
    assert "secret" not in message


def test_a_server_that_never_answers_is_given_up_after_two_attempts(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts: list[socket.socket] = []

    def accept(listener: socket.socket) -> None:
        while True:
            try:
                attempts.append(listener.accept()[0])
            except OSError:
                return

    assert int(DEFAULTS["MLFLOW_HTTP_REQUEST_TIMEOUT"]) <= 10
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept, args=(listener,), daemon=True)
        thread.start()
        config.tracking.uri = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(tracking.TrackingError):
            tracking.close_orphans(config)
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
    assert len(attempts) == 2
    for attempt in attempts:
        attempt.close()


def test_a_place_that_cannot_be_written_is_a_tracking_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    config = Config(results=str(tmp_path / "file" / "results"), tracking=TrackingConfig())
    with pytest.raises(tracking.TrackingError, match="could not open the run of session session-1"):
        tracking.open_session(config, "session-1", {})


def test_telemetry_is_off_before_mlflow_is_imported(
    results: Path, start_python: Callable[..., subprocess.Popen[str]]
) -> None:
    assert start_python(WATCHES_THE_IMPORT, str(results)).communicate()[0] == "true\n"


def test_a_deleted_experiment_is_an_error_with_its_remedy(config: Config, results: Path) -> None:
    name = "to be deleted"
    parent = tracking.open_session(config, "session-1", {})
    client = MlflowClient(tracking.tracking_uri(config))
    client.delete_experiment(client.create_experiment(name))
    with pytest.raises(tracking.TrackingError, match="mlflow experiments restore"):
        tracking.open_session(
            Config(results=str(results), tracking=TrackingConfig(experiment=name)), "session-1", {}
        )
    assert parent in runs_of(config)
