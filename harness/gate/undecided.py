"""What keeps a gate from a verdict without anybody having given something wrong."""

from __future__ import annotations


class UndecidedError(Exception):
    """A gate cannot decide. Exit status 3; the message says why."""
