"""Copies of the repository to break, and processes that run a copy's code and no other.

An editable bnbench puts a finder before PYTHONPATH: a copy that PYTHONPATH names is then not what
is imported. Hence an environment of its own, which has the installed packages, but neither that
finder nor any other way to bnbench's code. Workers inherit both; `checking.py` tells where what it
imported lies.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sysconfig
import venv
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from tests.experiments.mutation.mutants import Mutant, applied

COPIED = ("harness", "implementations", "conf", "tests", "pyproject.toml")
LEFT_OUT = shutil.ignore_patterns("__pycache__", ".*_cache", ".hypothesis")


@dataclass(frozen=True)
class Ran:
    """How a process ended: its exit status, None where it was killed for taking too long, and what
    it wrote.
    """

    status: int | None
    said: str

    @property
    def last_words(self) -> str:
        """The last line of what it wrote: of a traceback, the exception."""
        return next(
            (line.strip() for line in reversed(self.said.splitlines()) if line.strip()),
            "it said nothing",
        )


class Workshop:
    """A folder with a snapshot of ``root``, which later changes to it do not reach, an environment,
    and copies.
    """

    def __init__(self, root: Path, folder: Path, timeout: float) -> None:
        self.timeout = timeout
        self.snapshot = _copied(root, folder / "snapshot")
        self._folder = folder
        self._python = _environment(folder / "environment")
        self._numbers = count()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False

    @contextmanager
    def copy(self, mutant: Mutant | None) -> Iterator[Path]:
        """A copy of the snapshot with the mutant in it, if any; gone afterwards."""
        copy = _copied(self.snapshot, self._folder / f"copy-{next(self._numbers)}")
        try:
            if mutant is not None:
                path = copy / mutant.file
                path.write_text(applied(mutant, path.read_text(encoding="utf-8")), encoding="utf-8")
            yield copy
        finally:
            shutil.rmtree(copy, ignore_errors=True)

    def run(self, copy: Path, *arguments: str) -> Ran:
        """Run Python on the copy's code, and kill it with all that it has started when it takes too
        long.
        """
        log = copy / "output.txt"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [self._python, *arguments],
                cwd=copy,
                env={**os.environ, "PYTHONPATH": str(copy)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._running.add(process)
        try:
            status = None if self._stopped else process.wait(self.timeout)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            _kill(process)
            self._running.discard(process)
        return Ran(status, log.read_text(encoding="utf-8", errors="replace"))

    def stop(self) -> None:
        """End what runs, and what would be run: to be called when nobody waits for outcomes any
        more.
        """
        self._stopped = True
        for process in list(self._running):
            _kill(process)


def _copied(root: Path, copy: Path) -> Path:
    copy.mkdir()
    for name in COPIED:
        if (root / name).is_dir():
            shutil.copytree(root / name, copy / name, ignore=LEFT_OUT)
        else:
            shutil.copy2(root / name, copy / name)
    return copy


def _environment(folder: Path) -> Path:
    """Its Python finds what is installed here. The .pth files there, the editable bnbench's among
    them, are not read.
    """
    venv.create(folder, with_pip=False, symlinks=True)
    site = next((folder / "lib").glob("python*/site-packages"))
    (site / "below.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return folder / "bin" / "python"


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a process with its whole group. Once it has been waited for, its number may be
    another's.
    """
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
