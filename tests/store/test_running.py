"""A session's file tells whether its command lives, to whoever sees the folder."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from harness.environment import this_process
from harness.store import running
from harness.store.running import Owner, RunningFile


def test_a_session_runs_until_it_is_released(tmp_path: Path) -> None:
    own = RunningFile(tmp_path, "s1")
    assert own.path == running.file_of(tmp_path, "s1")
    assert running.is_locked(own.path)
    assert running.owner_of(own.path) == Owner(this_process(), socket.gethostname())
    own.release()
    with (tmp_path / "next").open("w"):  # gets the same descriptor
        own.interrupt()
    assert (tmp_path / "next").read_text() == ""
    assert not running.is_locked(own.path)
    assert running.owner_of(own.path) is None
    assert running.wait_for_end(own.path) is None


def test_those_who_wait_for_its_end_are_woken_by_an_interruption_and_learn_of_it(
    tmp_path: Path,
) -> None:
    own, found = RunningFile(tmp_path, "s1"), list[Owner | None]()
    waiting = threading.Thread(target=lambda: found.append(running.wait_for_end(own.path)))
    waiting.start()
    own.interrupt()
    waiting.join(30)
    assert [owner and owner.interrupted for owner in found] == [True]
    own.release()


def test_files_of_the_killed_are_removed_but_for_those_of_other_machines(tmp_path: Path) -> None:
    alive = RunningFile(tmp_path, "alive")
    boot, rest = this_process().split(" ", 1)
    owners = {
        "same boot": f"{boot} elsewhere 1 2\nanother-host\n",
        "same host": f"another-boot {rest}\n{socket.gethostname()}\n",
        "elsewhere": f"another-boot {rest}\nanother-host\n",
        "torn": "",
    }
    for name, text in owners.items():
        running.file_of(tmp_path, name).write_text(text)
    running.remove_dead(tmp_path)
    left = {path.name for path in alive.path.parent.iterdir()}
    assert left == {"alive", "elsewhere", "torn"}
    alive.release()


def test_where_there_are_no_locks_nothing_is_said_to_be_dead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(38, "no locks here")

    monkeypatch.setattr("fcntl.flock", refuse)
    own = RunningFile(tmp_path, "s1")
    assert running.is_locked(own.path)
    own.release()
