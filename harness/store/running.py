"""Which sessions are running: a file for each, beside the journal, which its command keeps locked
for as long as it lives.

The lock is the kernel's, and goes with the process, however it ends: it tells of processes whose
ids mean nothing here, since they are of another container. One of another machine need not be seen
here, so a file also says where its command runs.
"""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from harness.environment import this_process

FOLDER = "running"
# the environment variable that takes the session's file to the jobs' processes
RUNNING = "BNBENCH_RUNNING"
GRACE = 10.0  # seconds that a job has to end in good order when its command is interrupted
INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class Owner:
    """The process of a session's command, as `environment.process` names it, and its host."""

    process: str = ""
    host: str = ""
    interrupted: bool = False

    @property
    def boot(self) -> str:
        return self.process.partition(" ")[0]


class RunningFile:
    """The file of this process's own session, made and locked."""

    def __init__(self, journal: Path | str, session: str) -> None:
        self.path = file_of(journal, session)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o644)
        with suppress(OSError):  # a file system without locks
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        os.write(self._descriptor, f"{this_process()}\n{socket.gethostname()}\n".encode())

    def interrupt(self) -> None:
        """Wake the processes of jobs, and have them end in good order. For a signal's handler."""
        with suppress(OSError):
            os.write(self._descriptor, f"{INTERRUPTED}\n".encode())
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def release(self) -> None:
        """The session is over."""
        self.path.unlink(missing_ok=True)
        os.close(self._descriptor)
        self._descriptor = -1  # a late signal must not write to what is opened next


def file_of(journal: Path | str, session: str) -> Path:
    return Path(journal).resolve() / FOLDER / session


def owner_of(path: Path) -> Owner | None:
    """Whose session it is; None where it is over."""
    try:
        process, host, *rest = [*path.read_text(encoding="utf-8").splitlines(), "", ""][:3]
    except FileNotFoundError:
        return None
    return Owner(process, host, rest == [INTERRUPTED])


def is_locked(path: Path) -> bool:
    """Whether its command lives, as far as locks reach."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks: nothing speaks against it
        return True
    else:
        return False
    finally:
        os.close(descriptor)


def is_of_this_machine(owner: Owner) -> bool:
    """By the boot's id, or by the host's name where the machine has been started anew since."""
    return owner.boot == Owner(this_process()).boot or owner.host == socket.gethostname()


def remove_dead(journal: Path | str) -> None:
    """Remove the files of this machine's sessions that were killed."""
    for path in (Path(journal).resolve() / FOLDER).glob("*"):
        owner = owner_of(path)
        if owner is not None and is_of_this_machine(owner) and not is_locked(path):
            path.unlink(missing_ok=True)


def wait_for_end(path: Path) -> Owner | None:
    """Return when its command has ended, or was interrupted, with what the file says then."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)
    return owner_of(path)


class _Watch:
    """Of this process: which commands it waits for, and what it does when they are interrupted."""

    def __init__(self) -> None:
        self.watched: set[Path] = set()
        self.when_interrupted: list[Callable[[], None]] = []

    def begin(self, path: Path) -> None:
        if path not in self.watched:
            self.watched.add(path)
            threading.Thread(target=self._wait, args=(path,), daemon=True).start()

    def _wait(self, path: Path) -> None:
        owner = wait_for_end(path)
        if owner is not None and owner.interrupted:
            for interrupt in self.when_interrupted:
                interrupt()
            time.sleep(GRACE)
        _end()


_watch = _Watch()


def end_with_command(interrupt: Callable[[], None] | None = None) -> bool:
    """Have this process end with the command of its session; at once, where that has ended. Where
    it is interrupted, ``interrupt`` is called and there is some time to end in good order.

    Whether it is another process than the command's. A command on another machine, as of a cluster,
    cannot be watched from here.
    """
    named, own = os.environ.get(RUNNING), this_process()
    owner = owner_of(Path(named)) if named else None
    if named is None or (owner is not None and owner.process == own):
        return False
    if owner is None:
        _end()
    elif owner.boot == Owner(own).boot:
        _watch.when_interrupted += [] if interrupt is None else [interrupt]
        _watch.begin(Path(named))
    return True


def _end() -> None:
    """Without a word: the workers end with this process, and who waits for it is gone."""
    os.kill(os.getpid(), signal.SIGKILL)
