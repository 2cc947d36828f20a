"""A lock on a device, shared by all of a user's processes: jobs that run in parallel never time
each other, nor what trains beside them.

It is the kernel's lock on a file, which goes when its holder dies, however it dies.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def device_lock(device: str, *, timed: bool = True) -> Iterator[None]:
    """Wait for ``device`` ("cpu" or "cuda") and hold it until the block is left.

    One timed section holds it alone; untimed ones share it.
    """
    path = Path(tempfile.gettempdir()) / f"bnbench-{os.getuid()}-{device}.lock"
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX if timed else fcntl.LOCK_SH)
        yield
