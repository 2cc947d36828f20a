"""A tree is built once; what a gate leaves in its middle is seen as that, and removed."""

from __future__ import annotations

import fcntl
import os
import select
import subprocess
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from harness.gate.building import BuildFailedError, build
from harness.gate.builds import PACKAGE, kept_build, remove_old
from harness.gate.work_folder import work_folder


def silent(_: str) -> None:
    """Nobody is told."""


class Maker:
    """Makes a package, and counts how often."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.made, self.fault = 0, fault

    def __call__(self, folder: Path) -> None:
        self.made += 1
        folder.mkdir()
        (folder / "my_bn.py").write_text("built")
        if self.fault is not None:
            raise self.fault


def test_a_build_is_made_once_and_found_by_the_next_gate(tmp_path):
    make = Maker()
    for _ in range(2):
        with work_folder(tmp_path) as work, kept_build(tmp_path, "k", work, make, silent) as folder:
            assert (folder / "base" / "my_bn.py").read_text() == "built"
            assert (folder / "head").resolve() == folder / PACKAGE
    assert make.made == 1


def test_a_build_that_fails_is_no_build(tmp_path):
    with work_folder(tmp_path) as work:
        with pytest.raises(KeyError):
            kept_build(tmp_path, "k", work, Maker(KeyError()), silent).__enter__()
        assert not (tmp_path / "builds" / "k").exists()
    assert list((tmp_path / "work").iterdir()) == []


def test_two_gates_of_one_tree_build_it_once(tmp_path):
    make, told = Maker(), list[str]()
    begun, may_end = threading.Event(), threading.Event()

    def slow(folder: Path) -> None:
        begun.set()
        may_end.wait(30)
        make(folder)

    def announce(text: str) -> None:
        told.append(text)
        may_end.set()

    def gate() -> None:
        with work_folder(tmp_path) as work, kept_build(tmp_path, "k", work, slow, silent):
            pass

    first = threading.Thread(target=gate)
    first.start()
    begun.wait(30)
    with work_folder(tmp_path) as work, kept_build(tmp_path, "k", work, make, announce):
        pass
    first.join()
    assert make.made == 1
    assert told == ["waiting for another gate, which builds the same tree"]


def test_the_builds_that_were_not_used_for_longest_go_unless_they_are_in_use(tmp_path):
    with work_folder(tmp_path) as work:
        for number, key in enumerate("abc"):
            with kept_build(tmp_path, key, work, Maker(), silent) as folder:
                pass
            os.utime(folder, (number, number))
        with kept_build(tmp_path, "a", work, Maker(), silent) as folder:
            os.utime(folder, (0, 0))
            remove_old(tmp_path, work, most=1)
    kept = {path.name for path in (tmp_path / "builds").iterdir() if path.is_dir()}
    assert kept == {"a", "c"}


def test_what_a_killed_gate_left_is_removed_by_the_next_with_its_worktree(repository, tmp_path):
    dead = tmp_path / "gates" / "work" / "dead"
    dead.mkdir(parents=True)
    repository.git("worktree", "add", "--quiet", "--detach", str(dead / "base-tree"))
    (dead.parent / "dead.lock").touch()
    with work_folder(tmp_path / "gates"):
        assert not dead.exists()
    assert len(repository.worktrees) == 1
    assert list(dead.parent.iterdir()) == []


def test_what_a_gate_that_runs_needs_is_left_alone(tmp_path):
    with work_folder(tmp_path) as first, work_folder(tmp_path) as second:
        assert first.is_dir()
        assert second.is_dir()
        assert first != second


def test_a_lock_that_another_gate_has_taken_for_a_dead_ones_is_made_anew(tmp_path, monkeypatch):
    """Between making a lock's file and locking it another gate may come by."""
    real, stolen = fcntl.flock, list[Path]()

    def steal_once(descriptor: int, kind: int) -> None:
        if not stolen:
            [lock] = (tmp_path / "work").glob("*.lock")
            stolen.append(lock)
            lock.unlink()
        real(descriptor, kind)

    monkeypatch.setattr(fcntl, "flock", steal_once)
    with work_folder(tmp_path) as folder:
        assert folder.name != stolen[0].stem


def built(tmp_path: Path, command: str) -> Path:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "my_bn.py").write_text("source")
    build(command, tmp_path / "source", tmp_path / "a folder", tmp_path / "log")
    return tmp_path / "a folder"


def test_the_command_is_a_shells_in_the_trees_folder_and_may_name_the_target_twice(tmp_path):
    folder = built(tmp_path, "cp my_bn.py {folder} && touch {folder}/more.py")
    assert {path.name for path in folder.iterdir()} == {"my_bn.py", "more.py"}


def test_pip_is_that_of_this_interpreter(tmp_path):
    folder = built(tmp_path, "command -v python > {folder}/which")
    found = (folder / "which").read_text().strip()
    assert subprocess.run([found, "-c", "import msgspec"], check=False).returncode == 0


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("echo one; echo two; exit 7", r"ended with status 7; its last lines:\n  one\n  two"),
        ("kill -9 $$", "ended with status 137; its last lines:\n.*Killed"),
        ("true # {folder}", "ended well, and put nothing into {folder}"),
        ("nonsense", "not found"),
        ("echo 'x: No space left on device'; false", "free some space there, or choose another"),
        ("printf '\\033[31mred\\n'; false", r"\\x1b\[31mred"),
    ],
)
def test_a_build_that_fails_says_how_with_its_last_lines(tmp_path, command, message):
    with pytest.raises(BuildFailedError, match=message):
        built(tmp_path, command)


def test_a_build_that_is_interrupted_ends_with_all_that_it_began(tmp_path, monkeypatch):
    def interrupted(_: float) -> None:
        while not (tmp_path / "begun").exists():
            pass
        raise KeyboardInterrupt

    monkeypatch.setattr("harness.gate.building.interruption.wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        built(tmp_path, f"sleep 1000 & echo $! > '{tmp_path}/pid'; touch '{tmp_path}/begun'; wait")
    number = int((tmp_path / "pid").read_text())
    with suppress(ProcessLookupError):  # it is gone already
        assert select.select([os.pidfd_open(number)], [], [], 30)[0]


def test_the_wait_for_a_lock_can_be_interrupted(tmp_path, monkeypatch):
    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    (tmp_path / "builds").mkdir()
    with (tmp_path / "builds" / "k.lock").open("w") as held, work_folder(tmp_path) as work:
        fcntl.flock(held, fcntl.LOCK_EX)
        monkeypatch.setattr("harness.gate.builds.interruption.wait", interrupted)
        with pytest.raises(KeyboardInterrupt):
            kept_build(tmp_path, "k", work, Maker(), silent).__enter__()
