"""No job outlives its command, under any launcher: where a job's process is not the command's own,
a thread waits for the end of the command, and ends the process with it.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from functools import partial
from pathlib import Path

from harness.environment import this_process
from harness.isolation import interruption
from harness.store import running

# the environment variable that takes the session's file to the jobs' processes
RUNNING = "BNBENCH_RUNNING"
GRACE = 10.0  # seconds that a job has to end in good order when its command is interrupted
_watched: set[str] = set()


def end_with_command() -> bool:
    """Have this process end with the command of its session; at once, where that has ended.

    Whether it is another process than the command's. A command on another machine, as of a cluster,
    cannot be watched from here.
    """
    named, own = os.environ.get(RUNNING), this_process()
    owner = running.owner_of(Path(named)) if named else None
    if named is None or (owner is not None and owner.process == own):
        return False
    if owner is None:
        _end()
    elif owner.boot == own.partition(" ")[0] and named not in _watched:
        _watched.add(named)
        interruption.defer(told=False)  # the command tells
        threading.Thread(target=_watch, args=(Path(named),), daemon=True).start()
    return True


def watch_joblib_workers() -> None:
    """Have those of joblib's processes that wait for a first job end with the command, too."""
    import joblib
    from joblib._parallel_backends import LokyBackend

    backend = partial(LokyBackend, initializer=end_with_command)
    joblib.register_parallel_backend("loky", backend)


def _watch(path: Path) -> None:
    owner = running.wait_for_end(path)
    if owner is not None and owner.interrupted:
        interruption.request()
        time.sleep(GRACE)
    _end()


def _end() -> None:
    """Without a word: the workers end with this process, and who waits for it is gone."""
    os.kill(os.getpid(), signal.SIGKILL)
