"""Worker processes: every implementation runs in one, so that a crash or a hang costs its own record only."""

from harness.isolation.host import WAIT_POLICIES, Host, Killed, Overdue, RemoteError, Settings
from harness.isolation.lanes import Lane, side_by_side

__all__ = ["WAIT_POLICIES", "Host", "Killed", "Lane", "Overdue", "RemoteError", "Settings", "side_by_side"]
