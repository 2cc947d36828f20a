"""One build: the user's own command, in the folder of a tree."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from harness.gate.repository import own_variables
from harness.isolation import interruption
from implementations.published_text import visible

FOLDER = "{folder}"  # in the command: where the package to import has to be put
LAST_LINES, LONGEST = 12, 1500  # of a failed build's output, that a message shows
# Runs a command, and kills all that it began when standard input ends: that is a pipe that the gate
# holds open, and which the kernel closes when the gate dies, however that comes.
SUPERVISOR = (
    "exec 3<&0 </dev/null; (read _ <&3; kill -9 0) & watcher=$!; "
    'sh -c "$1" 3<&-; status=$?; kill -9 $watcher; exit $status'
)
LOOK = 0.1  # seconds between two looks at a build
NO_SPACE = "No space left on device"


class BuildFailedError(Exception):
    """The message says how the build ended, with its last lines."""


def build(command: str, source: Path, target: Path, log: Path) -> None:
    """Run a shell's command in ``source``, which puts a package into ``target``.

    Raises ``BuildFailedError``. A build that is interrupted is ended with all that it began.
    """
    if not source.is_dir():
        raise BuildFailedError(f"it has no folder {source.name}, in which the gate began")
    target.mkdir(parents=True)
    given = command.replace(FOLDER, shlex.quote(str(target)))
    status = _run(given, source, log)
    if status != 0:
        raise BuildFailedError(_reason(command, status, log))
    if not any(target.iterdir()):
        raise BuildFailedError(f"`{command}` ended well, and put nothing into {FOLDER}")


def _run(command: str, source: Path, log: Path) -> int:
    """The exit status."""
    with log.open("wb") as output, _pipe() as open_while_alive:
        process = subprocess.Popen(
            ["sh", "-c", SUPERVISOR, "build", command],
            cwd=source,
            env=_environment(),
            stdin=open_while_alive,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            while process.poll() is None:
                interruption.wait(LOOK)
        finally:
            if process.returncode is None:
                _end(process)
    return process.returncode


@contextmanager
def _pipe() -> Generator[int]:
    """The end to read from of a pipe that nobody writes to, and that ends with this process."""
    reading, writing = os.pipe()
    try:
        yield reading
    finally:
        os.close(reading)
        os.close(writing)


def _environment() -> Mapping[str, str]:
    """This process's, with its own interpreter's programs first, so that `pip` is its pip."""
    programs = [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
    return {**own_variables(), "PATH": os.pathsep.join(programs)}


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _reason(command: str, status: int, log: Path) -> str:
    lines = log.read_bytes().decode(errors="replace").splitlines()
    last = "\n".join(f"  {visible(line.rstrip())}" for line in lines[-LAST_LINES:])[-LONGEST:]
    advice = ""
    if any(NO_SPACE in line for line in lines):
        advice = "; free some space there, or choose another folder with gate.cache=FOLDER"
    shown = f"; its last lines:\n{last}" if last else ", and wrote nothing"
    return f"`{visible(command)}` ended with status {status}{advice}{shown}"
