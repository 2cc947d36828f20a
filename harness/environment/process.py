"""A process named so that another one can tell later whether it still runs: by the boot, the
namespace of process ids, the id, and the start in the kernel's ticks, since ids are used again.
"""

from __future__ import annotations

import os
from pathlib import Path

from harness.environment.machine import ROOT, text


def this_process(root: Path = ROOT) -> str:
    """The name of this process: four words."""
    pid = os.getpid()
    return f"{_boot(root)} {_namespace(root)} {pid} {_start(pid, root)}"


def is_running(process: str, root: Path = ROOT) -> bool | None:
    """Whether the process of that name runs. None where it ran under another boot, on another
    machine or in another namespace, of which nothing can be known from here.
    """
    match process.split():
        case [boot, namespace, pid, start] if pid.isdecimal():
            if (boot, namespace) != (_boot(root), _namespace(root)):
                return None
            return _start(int(pid), root) == start
        case _:
            return None


def _boot(root: Path) -> str:
    return text(root / "proc/sys/kernel/random/boot_id") or "unknown"


def _namespace(root: Path) -> str:
    try:
        return str((root / "proc/self/ns/pid").readlink())
    except OSError:
        return "unknown"


def _start(pid: int, root: Path) -> str:
    """The 22nd field of the process's line; the second is its name, which may hold anything."""
    after_name = text(root / f"proc/{pid}/stat").rpartition(")")[2].split()
    gone = not after_name or after_name[0] == "Z"
    return "gone" if gone else after_name[19]
