"""One lock a machine, taken by whatever computes: timed work alone, the rest together, so that
nothing of bnbench computes beside a timed section.

It is the kernel's lock on a file of the kernel's own, the time namespace: the same file for all
users and, unless one is given a clock of its own, for all containers, whatever folders they see. It
goes when its holder dies, however it dies. A second one, the user namespace, is held while waiting
for the first, so that those who come later wait too, and untimed work cannot keep timed work out.
"""

from __future__ import annotations

import fcntl
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from harness.isolation import interruption
from harness.isolation.lock_holders import announced, others
from harness.records import Seconds

ROOM, DOOR = "/proc/self/ns/time", "/proc/self/ns/user"
# Where the kernel has no such files (gVisor, Linux before 5.6), all users' own. Not TMPDIR.
FALLBACK = {ROOM: "/tmp/bnbench.lock", DOOR: "/tmp/bnbench.door.lock"}  # noqa: S108 -- only locked
LOOK = 0.05  # seconds between two attempts
TELL = 30.0  # seconds between two messages
UNSEEN = (
    1.0  # seconds before a holder that shows no name is mentioned: it may just be taking its lock
)
TIMED, UNTIMED, WAITING = "times", "computes untimed", "waits to time"


@contextmanager
def machine_lock(*, timed: bool = True) -> Iterator[Seconds]:
    """Hold the machine until the block is left, and tell the seconds that it was waited for.

    Timed work holds it alone. Who waits reads on stderr whom for, at once and now and then.
    """
    began = time.monotonic()
    with _opened(ROOM) as room:
        with _opened(DOOR) as door, announced(WAITING if timed else ""):
            _lock(door, fcntl.LOCK_EX, timed=timed)
            _lock(room, fcntl.LOCK_EX if timed else fcntl.LOCK_SH, timed=timed)
        waited = Seconds(time.monotonic() - began)
        with announced(TIMED if timed else UNTIMED):
            yield waited


@contextmanager
def _opened(name: str) -> Iterator[int]:
    """A descriptor of its own, whose lock goes with it."""
    descriptor = _open(name if Path(name).exists() else FALLBACK[name])
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _open(path: str) -> int:
    """For reading, which is all that a lock takes. Never through a link that another user made."""
    try:
        return os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL, 0o444))
        return os.open(path, os.O_RDONLY | os.O_NOFOLLOW)


def _lock(descriptor: int, operation: int, *, timed: bool) -> None:
    """Raises ``KeyboardInterrupt`` where that is requested meanwhile."""
    began = time.monotonic()
    while not _locked(descriptor, operation):
        _messages.tell(time.monotonic() - began, timed=timed)
        interruption.wait(LOOK)


def _locked(descriptor: int, operation: int) -> bool:
    try:
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class _Messages:
    """The last message, and its time: the jobs of a sweep may wait for each other all the time."""

    def __init__(self) -> None:
        self._told: dict[frozenset[int], float] = {}

    def tell(self, waited: float, *, timed: bool) -> None:
        # Untimed work waits for no untimed work.
        theirs = [each for each in others() if timed or each.state != UNTIMED]
        whom = frozenset(each.pid for each in theirs)
        if not whom and waited < UNSEEN:
            return
        now = time.monotonic()
        if now - self._told.get(whom, -TELL) >= TELL:
            self._told[whom] = now
            names = "; ".join(dict.fromkeys(map(str, theirs)))
            unseen = "a process that cannot be seen from here, as of another container"
            purpose = "to time alone" if timed else "to compute"
            sys.stderr.write(f"waiting {purpose}, for {names or unseen}\n")
            sys.stderr.flush()


_messages = _Messages()
