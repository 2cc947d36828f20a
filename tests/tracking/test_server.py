"""MLflow's server over the results: on the loopback interface only, usable by other clients, and
gone afterwards.
"""

from __future__ import annotations

import http.client
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts

from harness import tracking
from harness.config import Config, TrackingConfig
from harness.tracking.server import free_port, serve, server
from tests.helpers.made_records import training_record

SERVE = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
from harness.config import Config, TrackingConfig
from harness.tracking.server import serve

config = Config(results=sys.argv[1], tracking=TrackingConfig())
serve(config, None, lambda line: print(line, flush=True))
"""


def get(base: str, path: str, host: str | None = None) -> tuple[int, str]:
    address = urlsplit(base)
    with closing(
        http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)
    ) as connection:
        connection.request("GET", path, headers={"Host": host or address.netloc})
        response = connection.getresponse()
        return response.status, response.read().decode()


@dataclass(frozen=True)
class Served:
    """`serve` in a process of its own: what it announced, and all processes that it started."""

    process: subprocess.Popen[str]
    parent_run: str
    lines: list[str]
    group: list[psutil.Process]


@pytest.fixture(scope="module")
def served(results: Path, start_python: Callable[..., subprocess.Popen[str]]) -> Iterator[Served]:
    """One for all tests of this file: it takes seconds to start."""
    config = Config(results=str(results), tracking=TrackingConfig())
    parent = tracking.open_session(config, "session-1", {})
    process = start_python(SERVE, str(results))
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(3)]
    group = psutil.Process(process.pid).children(recursive=True)
    yield Served(process, parent, lines, group)
    process.kill()
    process.communicate()
    for member in filter(alive, group):
        member.kill()


@pytest.fixture
def base(served: Served) -> str:
    """The server's address."""
    address = urlsplit(served.lines[0].removeprefix("all runs: "))
    return f"{address.scheme}://{address.netloc}"


def test_the_server_answers_to_its_own_address_and_to_no_other_name(base: str) -> None:
    assert get(base, "/health") == (200, "OK")
    assert get(base, "/")[0] == 200
    assert get(base, "/", host="evil.example")[0] == 403


def test_a_server_named_in_the_configuration_takes_runs_and_files(
    base: str, config: Config, tmp_path: Path
) -> None:
    config.tracking.uri = base
    (tmp_path / "config.yaml").write_text("seed: 0\n")
    assert tracking.close_orphans(config) == []
    parent = tracking.open_session(config, "session-1", {"command": "run"})
    child = tracking.log_record(config, parent, training_record(losses=(0.5,) * 1200))
    tracking.log_artifacts(config, parent, tmp_path)
    tracking.close_session(config, parent, "FINISHED")
    client = MlflowClient(base)
    assert client.get_run(parent).info.status == "FINISHED"
    assert client.get_run(child).data.metrics["final_accuracy"] == pytest.approx(0.9)
    assert len(client.get_metric_history(child, "loss")) == 1200
    kept = download_artifacts(run_id=parent, artifact_path="config.yaml", tracking_uri=base)
    assert Path(kept).read_text(encoding="utf-8") == "seed: 0\n"
    assert get(base, f"/get-artifact?path=config.yaml&run_uuid={parent}") == (200, "seed: 0\n")
    announced: list[str] = []
    serve(config, None, announced.append)
    assert announced[1] == f"this session: {tracking.links(config, parent, {})[1][1]}"
    assert all(base in line for line in announced)


def alive(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_a_taken_port_gives_way_to_a_free_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken = listener.getsockname()[1]
        assert free_port(taken) != taken
    assert free_port(taken) == taken


def test_a_server_that_cannot_start_is_an_error_with_its_last_words(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(tracking.TrackingError, match="died while starting"), server(config):
        pass


# The last one, since it ends the server that the others share.
@pytest.mark.slow
def test_ctrl_c_ends_the_server_and_all_that_it_started(served: Served) -> None:
    assert served.lines[0].startswith("all runs: http://127.0.0.1:")
    assert served.parent_run in served.lines[1]
    assert served.lines[2] == "Ctrl-C ends it.\n"
    connections = [each for member in served.group for each in member.net_connections()]
    listening = [each.laddr.ip for each in connections if each.status == psutil.CONN_LISTEN]
    assert listening
    assert set(listening) == {"127.0.0.1"}
    served.process.send_signal(signal.SIGINT)
    served.process.communicate()
    assert served.process.returncode == 0
    assert [member for member in served.group if alive(member)] == []
