"""A forked worker is to its parent what a new interpreter is: its death has a cause, its output is
kept, and it outlives nobody.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import closing

import pytest

from harness.isolation import WorkerDied, WorkerError, WorkerProcess, WorkerSettings
from harness.isolation.fork_server import MOST_IDLE, ForkServers

MODULE = "forked_services"
SERVICES = """
import os, sys, threading

LOADED = os.getpid()

def kill(signal: int) -> None:
    print("what it said last", file=sys.stderr, flush=True)
    os.kill(os.getpid(), signal)

def facts() -> list:
    return [os.getpid(), LOADED, os.environ.get("FOR_ONE"), os.getcwd(), threading.active_count()]

def leave(status: int) -> None:
    sys.exit(status)

def services():
    return {"kill": kill, "facts": facts, "leave": leave}
"""


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("services")
    (folder / f"{MODULE}.py").write_text(SERVICES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(folder), *filter(None, sys.path)]))
        with closing(ForkServers()) as started:
            yield started


def worker(servers):
    return WorkerProcess(MODULE, WorkerSettings(1), servers.start)


def test_workers_are_processes_of_their_own_with_the_imports_of_one(servers):
    with worker(servers) as first, worker(servers) as second:
        facts = [one.call("facts", list, 30.0) for one in (first, second)]
        pids, loaded_in = {fact[0] for fact in facts}, {fact[1] for fact in facts}
        assert pids == {first.process.pid, second.process.pid}
        assert len(pids) == 2
        assert len(loaded_in) == 1
        assert pids.isdisjoint(loaded_in | {os.getpid()})


def test_a_worker_has_the_folder_of_its_parent_at_its_start(servers, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with worker(servers) as started:
        assert started.call("facts", list, 30.0)[3] == str(tmp_path)


def test_a_worker_has_the_environment_of_its_parent_at_its_start(servers, monkeypatch):
    monkeypatch.setenv("PYTEST_CURRENT_TEST", "another")  # what servers are not told apart by
    before = set(servers._servers)
    with worker(servers) as started:
        assert started.call("facts", list, 30.0)[2] is None
    assert set(servers._servers) == before
    monkeypatch.setenv("FOR_ONE", "value")  # what they are: libraries may read it at import
    with worker(servers) as started:
        assert started.call("facts", list, 30.0)[2] == "value"
    assert len(servers._servers) == len(before) + 1


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL])
def test_a_worker_that_a_signal_ends_is_told_with_its_last_words(servers, number):
    with worker(servers) as started, pytest.raises(WorkerDied, match=number.name) as caught:
        started.call("kill", int, 30.0, signal=int(number))
    assert "what it said last" in str(caught.value)
    assert started.process.poll() == -number


def test_a_worker_that_exits_is_told_with_its_status(servers):
    with worker(servers) as started, pytest.raises(WorkerDied, match="exit status 3"):
        started.call("leave", int, 30.0, status=3)


def test_a_worker_that_fails_goes_on(servers):
    with worker(servers) as started:
        with pytest.raises(WorkerError, match="takes no nonsense"):
            started.call("facts", list, 30.0, nonsense=1)
        assert started.call("facts", list, 30.0)


def test_killing_a_worker_that_has_ended_is_harmless(servers):
    started = worker(servers)
    started.close()
    started.process.kill()
    assert started.process.wait() == -signal.SIGKILL


def test_workers_end_with_their_server_and_the_next_has_another(servers):
    started = worker(servers)
    for server in servers._servers.values():
        server._process.kill()
    assert started.process.wait() == -signal.SIGKILL
    with pytest.raises(WorkerDied, match="SIGKILL"):
        started.call("facts", list, 30.0)
    started.close()
    with worker(servers) as another:
        assert another.call("facts", list, 30.0)


def test_where_no_server_starts_a_new_interpreter_tells_why():
    with (
        closing(ForkServers()) as servers,
        pytest.raises(WorkerDied, match="No module named no_such_services"),
    ):
        WorkerProcess("no_such_services", WorkerSettings(1), servers.start)


def test_few_idle_servers_are_kept_and_none_that_has_a_worker(monkeypatch):
    class FakeServer:
        def __init__(self, module, environment):
            self.idle = module != "busy"

        def close(self):
            assert self.idle

    monkeypatch.setattr("harness.isolation.fork_server.ForkServer", FakeServer)
    servers = ForkServers()
    for module in ["busy", *"abcde"]:
        servers._server(module, {}, anew=False)
    kept = [module for module, _ in servers._servers]
    assert kept == ["busy", *"abcde"[-MOST_IDLE:]]
