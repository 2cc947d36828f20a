"""No job outlives its command, under any launcher: where a job's process is not the command's own,
it ends with the command, as `store.running` sees it.
"""

from __future__ import annotations

from functools import partial

from harness.isolation import interruption
from harness.store import running


def end_with_command() -> bool:
    """Have this process end, or be interrupted, with the command of its session. Whether it is
    another process than the command's.
    """
    elsewhere = running.end_with_command(interruption.request)
    if elsewhere:
        interruption.defer(notify=False)  # the command has a message of its own
    return elsewhere


def watch_joblib_workers() -> None:
    """Have joblib's processes end with the command from their start, and not only from their first
    job on. What they import for that is little.
    """
    import joblib
    from joblib._parallel_backends import LokyBackend

    backend = partial(LokyBackend, initializer=running.end_with_command)
    joblib.register_parallel_backend("loky", backend)
