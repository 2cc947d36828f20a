"""A device is lent to one timed section at a time, or to any number that nothing times, whichever
processes ask.

So parallel jobs never time each other, nor what trains beside them.

The lock is the kernel's, on a file that all of a user's processes share; it goes when its holder
dies, however it dies.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def device_lease(device: str, *, timed: bool = True) -> Iterator[None]:
    """Wait for ``device`` ("cpu" or "cuda") and hold it until the block is left: alone if
    ``timed``, else with others.
    """
    path = Path(tempfile.gettempdir()) / f"bnbench-{os.getuid()}-{device}.lock"
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX if timed else fcntl.LOCK_SH)
        yield
