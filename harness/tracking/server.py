"""MLflow's own server over the store of the results, on the loopback interface only, and links to
its useful pages.
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from harness.tracking import TrackingError, latest_session, links, records_of, tracking_uri
from implementations.published_text import without_credentials

if TYPE_CHECKING:
    from harness.config import Config

HOST = "127.0.0.1"
PORT = 5000
START_TIMEOUT = 90.0  # seconds; it takes 5 on a quiet machine
STOP_TIMEOUT = 5.0
COMPARED_TASKS = ("throughput", "convergence")  # those whose metrics are worth a plot
LOG_TAIL = 800  # characters of a dead server's last words
ENVIRONMENT: Mapping[str, str] = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # nine idle processes for evaluations that nobody asks for here
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "PYTHONSAFEPATH": "1",  # a user's own folder in the working directory must not hide a package
}


def serve(config: Config, port: int | None, announce: Callable[[str], None]) -> None:
    """Serve until interrupted (Ctrl-C, SIGTERM, SIGHUP), having announced the links of the latest
    session.

    Where ``tracking.uri`` is a server already, only its links are announced. Runs in the main
    thread. Raises `TrackingError` when the store cannot be read, or the server does not start or
    dies.
    """
    if tracking_uri(config).startswith(("http://", "https://")):
        _announce_links(config, None, announce)
        return
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:  # else the server would outlive this process
            signal.signal(number, signal.default_int_handler)
    with suppress(KeyboardInterrupt), server(config, port) as (base, process):
        if port is not None and not base.endswith(f":{port}"):
            announce(f"Port {port} is taken; another one serves.")
        _announce_links(config, base, announce)
        announce("Ctrl-C ends it.")
        status = process.wait()
        raise TrackingError(
            f"the MLflow server ended by itself, exit status {status}; `bnbench ui` starts it again"
        )


@contextmanager
def server(
    config: Config, port: int | None = None
) -> Generator[tuple[str, subprocess.Popen[bytes]]]:
    """A running server's address and process; afterwards it is gone, with every process that it
    started.
    """
    latest_session(config)  # makes the store before the server would, which takes no lock
    chosen = free_port(port or PORT)
    command = [
        sys.executable,
        "-m",
        "mlflow",
        "server",
        "--host",
        HOST,
        "--port",
        str(chosen),
        "--workers",
        "1",
        "--no-serve-artifacts",
        "--default-artifact-root",
        (Path(config.results).resolve() / "mlflow-artifacts").as_uri(),
    ]
    with tempfile.TemporaryFile() as log:
        # its own process group, so that all of it can be ended at once
        process = subprocess.Popen(
            command,
            # the URI here and not among the words, which every user of the machine can read
            env=os.environ | ENVIRONMENT | {"MLFLOW_BACKEND_STORE_URI": tracking_uri(config)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            _await_health(process, chosen, log)
            yield f"http://{HOST}:{chosen}", process
        finally:
            _end(process)


def free_port(asked: int) -> int:
    """The port asked for, or any free one where that is taken."""
    for port in (asked, 0):
        with socket.socket() as probe, suppress(OSError):
            # one just closed counts as free
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
            return int(probe.getsockname()[1])
    raise TrackingError(f"no free port on {HOST}")


def _announce_links(config: Config, base: str | None, announce: Callable[[str], None]) -> None:
    parent = latest_session(config)
    if parent is None:
        where = base or without_credentials(tracking_uri(config))
        announce(f"MLflow: {where} (no session yet; `bnbench run` makes one)")
        return
    children = {task: records_of(config, parent, task) for task in COMPARED_TASKS}
    for title, address in links(config, parent, children, base):
        announce(f"{title}: {address}")


def _await_health(process: subprocess.Popen[bytes], port: int, log: IO[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while process.poll() is None and time.monotonic() < deadline:
        if _healthy(port):
            return
        time.sleep(0.1)
    log.seek(0)
    last_words = log.read().decode(errors="replace").strip()[-LOG_TAIL:]
    cause = (
        f"did not answer within {START_TIMEOUT:g} s"
        if process.poll() is None
        else "died while starting"
    )
    raise TrackingError(
        f"the MLflow server {cause}; its last words: {without_credentials(last_words)}"
    )


def _healthy(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    with closing(connection), suppress(OSError, http.client.HTTPException):
        connection.request("GET", "/health")
        return connection.getresponse().status == http.client.OK
    return False


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the whole group to end, then make it. The group may outlive its leader, so it is killed
    in any case.
    """
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_TIMEOUT)
