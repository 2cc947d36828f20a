"""A device is lent to one timed section at a time, whichever process asks, so that parallel jobs do not time each other.

The lock is the kernel's, on a file that all of a user's processes share; it goes when its holder dies, however it dies.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def device_lease(device: str) -> Iterator[None]:
    """Wait for ``device`` ("cpu" or "cuda") and hold it until the block is left."""
    path = Path(tempfile.gettempdir()) / f"bnbench-{os.getuid()}-{device}.lock"
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
