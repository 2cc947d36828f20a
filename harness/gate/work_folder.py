"""What a gate needs while it runs: a folder that is locked for as long as the gate lives, so that
the next one knows what a killed one has left.

The lock is the kernel's, and goes with the process, however it ends.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from harness.gate.repository import prune_worktrees

LOCK = ".lock"


@contextmanager
def work_folder(cache: Path) -> Generator[Path]:
    """A new folder, which goes with the block. What gates that were killed left goes first."""
    works = cache / "work"
    works.mkdir(parents=True, exist_ok=True)
    remove_dead(works)
    name, descriptor = _locked(works)
    folder = works / name
    try:
        folder.mkdir()
        yield folder
    finally:
        _remove(folder)
        os.close(descriptor)


def remove_dead(works: Path) -> None:
    """Remove the folders of gates that are over, and what git knows of worktrees in them."""
    for lock in works.glob(f"*{LOCK}"):
        with suppress(OSError):  # another gate is at it, or it is not ours to remove
            descriptor = os.open(lock, os.O_RDWR)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove(lock.with_suffix(""))
            finally:
                os.close(descriptor)


def _locked(works: Path) -> tuple[str, int]:
    """A name, and the descriptor of its lock."""
    while True:
        name = secrets.token_hex(4)
        lock = works / f"{name}{LOCK}"
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
        with suppress(OSError):  # a file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if lock.exists():  # else another gate took it for a dead one's, before it was locked
            return name, descriptor
        os.close(descriptor)


def _remove(folder: Path) -> None:
    """The folder, then its lock: what cannot be removed now, the next gate will find."""
    repositories = [_repository_of(link) for link in folder.glob("*/.git")]
    shutil.rmtree(folder, ignore_errors=True)
    for repository in filter(None, repositories):
        prune_worktrees(repository)
    if not folder.exists():
        folder.with_name(f"{folder.name}{LOCK}").unlink(missing_ok=True)


def _repository_of(link: Path) -> Path | None:
    """The .git folder that a worktree is of: its own .git is a file that says so."""
    try:
        key, _, path = link.read_text(encoding="utf-8", errors="surrogateescape").partition(": ")
    except OSError:
        return None
    return Path(path.strip()).parents[1] if key == "gitdir" else None
