"""A worker elsewhere imports what is there, and one that cannot be talked to says why. Most workers
are fakes that write what a real one would.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import implementations
from harness.isolation import (
    HERE,
    Arm,
    Place,
    WorkerError,
    WorkerProcess,
    WorkerSettings,
    WorkerTimedOut,
    WorkerUnavailable,
    fork_server,
    place_facts,
)
from harness.isolation.failures import failure_reason, failure_status
from harness.isolation.fork_server import ForkServers
from harness.isolation.loading import Loading, LoadOutcome
from harness.isolation.messages import PROTOCOL, StartOptions, WorkerFacts
from harness.isolation.place_facts import PlaceFacts
from harness.isolation.place_messages import not_started
from harness.isolation.process import execute
from harness.isolation.worker_pool import FORK_SERVERS
from harness.records import Status, to_json
from implementations import registry

DESCRIPTORS = Path("/proc/self/fd")
ELSEWHERE = Place(python="../env/bin/python")


def started(reply: object, place: Place = ELSEWHERE, *, threads: int = 1) -> WorkerProcess:
    """A worker that says this when it starts, and ends where that is nothing."""

    def start(_module: str, _settings: Any, options: StartOptions, output: int) -> Any:
        if isinstance(reply, OSError):
            raise reply
        if isinstance(reply, bytes):
            os.write(output, reply)
        else:
            line = {"kind": "value", "content": reply}
            os.write(options.replies, to_json(line).encode() + b"\n")
        return SimpleNamespace(pid=1, kill=lambda: None, poll=lambda: 1, wait=lambda: 1)

    return WorkerProcess("a.module", WorkerSettings(threads, place=place), start)


def refusal(*given: Any, **keywords: Any) -> str:
    with pytest.raises(WorkerUnavailable) as refused:
        started(*given, **keywords)
    assert failure_status(refused.value) is Status.UNAVAILABLE
    return failure_reason(refused.value)


def facts(**changes: Any) -> WorkerFacts:
    return WorkerFacts(**{"pid": 1, "threads": 1, "cpus": (0,), "protocol": PROTOCOL, **changes})


def test_a_worker_that_speaks_this_protocol_is_taken() -> None:
    with started(facts()) as worker:
        assert worker.facts == facts()


@pytest.mark.parametrize(
    ("reply", "spoken"),
    [
        (facts(protocol=PROTOCOL + 1), f"version {PROTOCOL + 1}"),
        ({"pid": 1, "threads": 1, "cpus": [0]}, "no version"),
        ({"hello": "parent"}, "no version"),
        (b"No module named harness.isolation.place_facts", "no version"),
    ],
)
def test_another_protocol_is_told_with_both_versions(reply: object, spoken: str) -> None:
    reason = refusal(reply)
    assert f"the bnbench of python=../env/bin/python speaks {spoken} of the protocol" in reason
    assert f"and this one version {PROTOCOL}" in reason


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (b"No module named harness", "python=../env/bin/python has no bnbench; install it there"),
        (b"ModuleNotFoundError: No module named 'harness'", "has no bnbench; install it there"),
        (b"No module named 'msgspec'", "has no Python package 'msgspec', which bnbench needs"),
        (b"No module named 'implementations.arguments'", "no worker starts with python=../env"),
        (b"Unknown option: -P", "python=../env/bin/python is older than Python 3.11"),
        (b"Killed", "no worker starts with python=../env/bin/python: the worker died"),
    ],
)
def test_an_interpreter_without_what_a_worker_needs_is_told(words: bytes, reason: str) -> None:
    assert reason in refusal(words)


def test_what_the_system_cannot_execute_is_told() -> None:
    error = OSError(8, "Exec format error")
    assert refusal(error) == "../env/bin/python cannot be executed: Exec format error"


def test_an_interpreter_that_says_nothing_is_waited_for_and_then_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def silent(*_: object) -> None:
        raise WorkerTimedOut("no answer within 120 s")

    monkeypatch.setattr(WorkerProcess, "_reply", silent)
    assert refusal(b"") == "no worker starts with python=../env/bin/python: no answer within 120 s"


def test_a_worker_with_other_threads_than_its_cell_is_refused() -> None:
    assert "runs with 1 threads where 2 were asked for" in refusal(facts(), threads=2)


def test_a_folder_and_variables_are_named_where_a_worker_does_not_start() -> None:
    assert not_started(Place(path="base"), "of a signal").startswith("no worker starts with path=b")
    variables = Place(variables=(("A", "b"),))
    assert not_started(variables, "x").startswith("no worker starts with its environment")


def test_no_descriptor_is_left_open_by_a_worker_that_does_not_start() -> None:
    before = len(list(DESCRIPTORS.iterdir()))
    refusal(OSError(8, "Exec format error"))
    refusal(b"No module named harness")
    assert len(list(DESCRIPTORS.iterdir())) == before


def test_a_path_comes_before_all_others_and_variables_are_added(tmp_path: Path) -> None:
    place = Place(path=str(tmp_path), variables=(("BNBENCH_ISA", "v3"),))
    made = place.environment({"PYTHONPATH": "/earlier", "HOME": "/me"})
    assert made == {"PYTHONPATH": f"{tmp_path}:/earlier", "HOME": "/me", "BNBENCH_ISA": "v3"}
    assert HERE.environment({"HOME": "/me"}) == {"HOME": "/me"}


def test_what_the_harness_sets_is_set_elsewhere_too() -> None:
    made = WorkerSettings(3, place=Place(variables=(("MINE", "1"),))).environment()
    assert (made["MINE"], made["OMP_NUM_THREADS"]) == ("1", "3")


def test_the_interpreter_is_executed_as_it_was_named_without_following_links(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "python").symlink_to(sys.executable)
    monkeypatch.chdir(tmp_path)
    commands: list[list[str]] = []
    monkeypatch.setattr(subprocess, "Popen", lambda command, **_: commands.append(command))
    settings, options = WorkerSettings(place=Place(python="./python")), StartOptions(0, 1, 1, ())
    execute("a.module", settings, options, 2)
    assert commands[0][:4] == [str(tmp_path / "python"), "-P", "-m", "a.module"]


@pytest.mark.parametrize(
    ("place", "forked"),
    [
        (HERE, True),
        (Place(variables=(("A", "b"),)), True),
        (ELSEWHERE, False),
        (Place(path="."), False),
    ],
)
def test_no_worker_with_code_of_its_own_is_forked_from_this_ones_imports(
    monkeypatch: pytest.MonkeyPatch, place: Place, *, forked: bool
) -> None:
    monkeypatch.setattr(fork_server, "execute", lambda *_: "executed")
    server = SimpleNamespace(fork=lambda *_: "forked")
    monkeypatch.setattr(ForkServers, "_server", lambda *_: server)
    settings, options = WorkerSettings(place=place), StartOptions(0, 1, 1, ())
    made: object = ForkServers().start("a.module", settings, options, 2)
    assert made == ("forked" if forked else "executed")


def test_a_place_without_workers_is_asked_once_whatever_is_to_run_there() -> None:
    asked: list[str] = []

    def call(service: str, *_: Any, **__: Any) -> Any:
        asked.append(service)
        raise WorkerUnavailable("it has no bnbench")

    loading, arm = Loading(1.0), Arm("numpy", ELSEWHERE)
    outcomes = [loading.failure(call, arm) for _ in range(3)]
    assert outcomes == [LoadOutcome(Status.UNAVAILABLE, "it has no bnbench")] * 3
    assert asked == ["load"]


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with this package in it, NumPy's implementation changed and PyTorch's taken out."""
    folder = tmp_path_factory.mktemp("head")
    ours = Path(implementations.__file__).parent
    shutil.copytree(ours, folder / "implementations", ignore=shutil.ignore_patterns("__pycache__"))
    builtin = folder / "implementations" / "builtin"
    with (builtin / "numpy_vectorized.py").open("a") as file:
        file.write("CHANGED = True\n")
    (builtin / "torch_native.py").write_text("NOTHING = True\n")
    return folder


def test_a_worker_with_a_path_has_the_code_and_the_binaries_of_that_folder(elsewhere: Path) -> None:
    settings = WorkerSettings(place=Place(path=str(elsewhere)))
    with WorkerProcess(place_facts.__name__, settings) as worker:
        found = worker.call("describe", PlaceFacts, 60.0, implementation="numpy")
        kernels = worker.call("describe", PlaceFacts, 60.0, implementation="fused_cpu")
        gone = worker.call("describe", PlaceFacts, 60.0, implementation="torch_native")
    own = [Path(file) for file in (*found.files, *kernels.files) if "implementations" in file]
    assert own
    assert all(file.is_relative_to(elsewhere) for file in own)
    binaries = [file for file in own if file.suffix == ".so"]
    assert bool(binaries) == ("fused_cpu" in found.instruction_sets)
    assert found.source != registry.source_hash("numpy")
    assert "has no 'TorchNative'" in str(gone.mistake)


def test_a_worker_with_variables_has_what_they_ask_for() -> None:
    settings = WorkerSettings(place=Place(variables=(("BNBENCH_ISA", "baseline"),)))
    with WorkerProcess(place_facts.__name__, settings, FORK_SERVERS.start) as worker:
        found = worker.call("describe", PlaceFacts, 60.0, implementation="fused_cpu")
        with pytest.raises(WorkerError, match="takes no size"):
            worker.call("describe", PlaceFacts, 60.0, implementation="numpy", size=1)
    assert found.instruction_sets.get("fused_cpu", "baseline") == "baseline"
    assert found.source == registry.source_hash("fused_cpu")
