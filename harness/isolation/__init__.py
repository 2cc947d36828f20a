"""Worker processes: every implementation runs in one, so that a crash or a hang costs its own
record only.
"""

from harness.isolation.worker_pool import Lane, side_by_side
from harness.isolation.worker_process import (
    WAIT_POLICIES,
    Host,
    Killed,
    Overdue,
    RemoteError,
    Settings,
)

__all__ = [
    "WAIT_POLICIES",
    "Host",
    "Killed",
    "Lane",
    "Overdue",
    "RemoteError",
    "Settings",
    "side_by_side",
]
