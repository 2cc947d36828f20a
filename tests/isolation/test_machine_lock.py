"""Timed work holds the machine alone, the rest shares it, and who waits is told whom for."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from harness.isolation import interruption, lock_holders, machine_lock
from harness.isolation.lock_holders import Holder

HOLDS = """
from harness.isolation.machine_lock import machine_lock
with machine_lock():
    print("holds", flush=True)
    input()
"""


@pytest.fixture
def own_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of this test's own."""
    for name in ("ROOM", "DOOR"):
        (tmp_path / name).touch()
        monkeypatch.setattr(machine_lock, name, str(tmp_path / name))


class Asking:
    """A thread that asks for the lock, and holds it until it is told to leave."""

    def __init__(self, *, timed: bool) -> None:
        self.inside, self.leave, self.waited = threading.Event(), threading.Event(), -1.0
        self._thread = threading.Thread(target=self._ask, args=(timed,), daemon=True)
        self._thread.start()

    def _ask(self, timed: bool) -> None:
        with machine_lock.machine_lock(timed=timed) as self.waited:
            self.inside.set()
            assert self.leave.wait(30)

    def end(self) -> None:
        self.leave.set()
        self._thread.join(30)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> threading.Semaphore:
    """Is released each time that somebody finds the lock taken."""
    found, wait = threading.Semaphore(0), interruption.wait

    def look(seconds: float, readable: int | None = None) -> bool:
        found.release()
        return wait(seconds, readable)

    monkeypatch.setattr(interruption, "wait", look)
    return found


@pytest.mark.parametrize("timed", [True, False])
def test_nothing_computes_beside_a_timed_section(
    own_lock: None, looks: threading.Semaphore, timed: bool
) -> None:
    with machine_lock.machine_lock():
        other = Asking(timed=timed)
        for _ in range(3):
            assert looks.acquire(timeout=30)
        assert not other.inside.is_set()
    assert other.inside.wait(30)
    assert other.waited > 0
    other.end()


def test_untimed_work_goes_on_side_by_side(own_lock: None) -> None:
    with machine_lock.machine_lock(timed=False):
        other = Asking(timed=False)
        assert other.inside.wait(30)
        other.end()


def test_timed_work_that_waits_is_not_kept_out_by_untimed_work_that_comes_later(
    own_lock: None, looks: threading.Semaphore
) -> None:
    with ExitStack() as first:
        first.enter_context(machine_lock.machine_lock(timed=False))
        timed = Asking(timed=True)
        assert looks.acquire(timeout=30)
        later = Asking(timed=False)
        for _ in range(5):
            assert looks.acquire(timeout=30)
        assert not later.inside.is_set()
        assert not timed.inside.is_set()
    assert timed.inside.wait(30)
    assert not later.inside.is_set()
    timed.end()
    assert later.inside.wait(30)
    later.end()


def test_another_process_with_another_folder_for_temporary_files_is_waited_for_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv(lock_holders.SESSION, "20260101-000000-beef")
    monkeypatch.setenv(lock_holders.COMMAND, "bnbench run tracking.uri=http://me:secret@host")
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    monkeypatch.delenv("TMPDIR")
    with holder:
        assert holder.stdout.readline() == "holds\n"
        monkeypatch.setattr(interruption, "wait", lambda seconds: interrupt(holder))
        with pytest.raises(KeyboardInterrupt), machine_lock.machine_lock(timed=False):
            pass
    message = capsys.readouterr().err
    assert f"waiting to compute, for process {holder.pid} (bnbench run " in message
    assert "session 20260101-000000-beef" in message
    assert "which times since" in message
    assert "secret" not in message


def interrupt(holder: subprocess.Popen[str]) -> None:
    """Instead of waiting."""
    holder.stdin.write("\n")
    holder.stdin.flush()
    raise KeyboardInterrupt


def test_it_is_told_at_once_and_now_and_then_and_not_each_time(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now, seen = [0.0], [Holder(7, "times", "10:00:00", "", "bnbench run")]
    monkeypatch.setattr(machine_lock, "others", lambda: seen)
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    messages = machine_lock._Messages()

    def told(at: float, waited: float = 0.0) -> str:
        now[0] = at
        messages.tell(waited, timed=True)
        return capsys.readouterr().err

    assert told(0.0) == (
        "waiting to time alone, for process 7 (bnbench run), which times since 10:00:00\n"
    )
    assert told(29.0) == ""
    assert "process 7" in told(31.0)
    seen.append(Holder(8, "computes untimed", "10:00:00", "s", "bnbench check numpy"))
    assert "process 8 (bnbench check numpy, session s)" in told(32.0)
    seen.clear()
    assert told(33.0) == ""  # it may be about to show its name
    assert "cannot be seen from here" in told(34.0, waited=2.0)


def test_untimed_work_does_not_say_that_it_waits_for_untimed_work(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = [Holder(7, "computes untimed", "", "", "a"), Holder(8, "waits to time", "", "", "b")]
    monkeypatch.setattr(machine_lock, "others", lambda: seen)
    machine_lock._Messages().tell(0.0, timed=False)
    message = capsys.readouterr().err
    assert "process 8" in message
    assert "process 7" not in message


def test_where_the_kernel_has_no_such_file_all_users_share_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = {"/nowhere/room": str(tmp_path / "room"), "/nowhere/door": str(tmp_path / "door")}
    monkeypatch.setattr(machine_lock, "FALLBACK", shared)
    monkeypatch.setattr(machine_lock, "ROOM", "/nowhere/room")
    monkeypatch.setattr(machine_lock, "DOOR", "/nowhere/door")
    for _ in range(2):
        with machine_lock.machine_lock():
            assert (tmp_path / "room").stat().st_mode & 0o444 == 0o444


def test_what_a_holder_shows_is_read_as_it_was_meant_and_is_never_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(lock_holders.SESSION, "20260101-000000-beef")
    monkeypatch.setenv(lock_holders.COMMAND, "bnbench run \n 'results=größe/[b]' " + "x" * 200)
    monkeypatch.setattr("os.getpid", lambda: 4)
    name = lock_holders._name("times", 3)
    assert len(name) == lock_holders.LONGEST
    monkeypatch.undo()
    row = "0000: 00000002 00000000 00000000 0002 01 4711 "
    (tmp_path / "unix").write_bytes(f"{row}/run/x\n{row}@".encode() + name + b"\n")
    [holder] = lock_holders.others(tmp_path / "unix")
    assert (holder.pid, holder.state, holder.session) == (4, "times", "20260101-000000-beef")
    assert holder.command.startswith("bnbench run 'results=größe/[b]' xxx")
    assert holder.command.endswith("…")
    assert lock_holders.others(tmp_path / "nowhere") == []
