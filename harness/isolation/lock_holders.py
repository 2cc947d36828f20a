"""Who holds the machine: each holder says so by the name of a Unix socket that nothing listens on.

The kernel lists these names for all to read in /proc/net/unix, and drops one when its process dies;
they need no folder, no rights, and leave nothing behind. What has a network of its own cannot be
seen.
"""

from __future__ import annotations

import os
import re
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from implementations.published_text import without_credentials

# the environment variables that take the session's name and its command to the jobs' processes
SESSION, COMMAND = "BNBENCH_SESSION", "BNBENCH_COMMAND"
PREFIX = "bnbench"
LONGEST = 107  # bytes of a name, after the zero that makes it one of no folder
CUT = "…".encode()
LIST = Path("/proc/net/unix")
FIELDS = re.compile(rf"@{PREFIX}/(\d+)\.\d+/([^/]*)/([\d:]+)/([^/]*)/(.*)$")


@dataclass(frozen=True)
class Holder:
    """``state`` is what it does, ``since`` the time of day, in UTC, ``session`` empty where it has
    none, as in a notebook.
    """

    pid: int
    state: str
    since: str
    session: str
    command: str

    def __str__(self) -> str:
        session = f", session {self.session}" if self.session else ""
        return (
            f"process {self.pid} ({self.command}{session}), which {self.state} since {self.since}"
        )


@contextmanager
def announced(state: str) -> Iterator[None]:
    """Have others see within the block what this process does; nothing where that is empty."""
    if not state:
        yield
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as named:
        with suppress(OSError):  # where it cannot be, others see less of who holds it
            named.bind(b"\0" + _name(state, named.fileno()))
        yield


def others(listed: Path = LIST) -> list[Holder]:
    """All processes that announce something, but this one."""
    try:
        lines = listed.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    found = [FIELDS.search(line) for line in lines]
    holders = [Holder(int(one[1]), one[2], one[3], one[4], one[5]) for one in found if one]
    return [holder for holder in holders if holder.pid != os.getpid()]


def command_line() -> str:
    """This process's own command, or the one whose job it does, without anybody's password."""
    given = os.environ.get(COMMAND) or " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])
    return without_credentials(" ".join(given.split()))


def _name(state: str, number: int) -> bytes:
    """The number makes it unlike that of another thread."""
    since = time.strftime("%H:%M:%S", time.gmtime())
    session = os.environ.get(SESSION, "")
    name = f"{PREFIX}/{os.getpid()}.{number}/{state}/{since}/{session}/{command_line()}"
    encoded = name.encode(errors="replace")
    whole = len(encoded) <= LONGEST
    return encoded if whole else encoded[: LONGEST - len(CUT)] + CUT
