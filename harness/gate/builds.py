"""Built trees, kept from gate to gate under the hash of what they were built from.

A build is made under a temporary name and renamed, so that what stands under its own name is whole.
Who uses one keeps it locked, shared with others; who makes or removes one has it alone.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from harness.isolation import interruption

MOST_KEPT = 20  # builds; those that were used last
PACKAGE = "package"
# Two names of one folder: base and head of the same tree run in processes of their own, too.
NAMES = ("base", "head")
LOOK = 0.2  # seconds between two tries of a lock

Make = Callable[[Path], None]  # builds into the folder that it is given, which is not there yet


@contextmanager
def kept_build(
    cache: Path, key: str, work: Path, make: Make, announce: Callable[[str], None]
) -> Generator[Path]:
    """The folder of a build, made if it is not there, which stays for the length of the block."""
    builds = cache / "builds"
    builds.mkdir(parents=True, exist_ok=True)
    folder = builds / key
    descriptor = os.open(builds / f"{key}.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _lock(descriptor, fcntl.LOCK_SH, announce)
        if not folder.is_dir():
            _lock(descriptor, fcntl.LOCK_EX, announce)
            if not folder.is_dir():  # nobody made it while this one waited
                _make(folder, work / key, make)
            _lock(descriptor, fcntl.LOCK_SH, announce)
        os.utime(folder)
        yield folder
    finally:
        os.close(descriptor)


def remove_old(cache: Path, work: Path, most: int = MOST_KEPT) -> None:
    """Remove the builds that were not used for longest, beyond as many, unless one is in use."""
    builds = [path for path in (cache / "builds").glob("*") if path.is_dir()]
    builds.sort(key=lambda path: path.stat().st_mtime)
    for folder in builds[: max(0, len(builds) - most)]:
        with suppress(OSError):
            descriptor = os.open(folder.with_name(f"{folder.name}.lock"), os.O_RDWR | os.O_CREAT)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                folder.rename(work / f"{folder.name}.old")  # whole or gone, whatever comes between
                shutil.rmtree(work / f"{folder.name}.old", ignore_errors=True)
            finally:
                os.close(descriptor)


def _make(folder: Path, temporary: Path, make: Make) -> None:
    temporary.mkdir()
    make(temporary / PACKAGE)
    for name in NAMES:
        (temporary / name).symlink_to(PACKAGE)
    temporary.rename(folder)


def _lock(descriptor: int, kind: int, announce: Callable[[str], None]) -> None:
    """Wait for the lock, as long as it takes. Where locks do not exist, go on without one."""
    told = False
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if not told:
                announce("waiting for another gate, which builds the same tree")
            told = True
            interruption.wait(LOOK)
        except OSError:
            return
        else:
            return
