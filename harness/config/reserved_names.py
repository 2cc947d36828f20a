"""Names of arms that are no implementations, so that no implementation can be asked for by them."""

from __future__ import annotations

from harness.config.choices import ALTERNATIVES
from harness.records import CANARY


def reserved_name(name: str) -> str | None:
    """What an implementation's name stands for already; None where it is free."""
    if name == CANARY:
        return f"{name!r} is the baseline's second run; register it under another name"
    if name in ALTERNATIVES:
        return f"{name!r} is one of task.alternatives; register it under another name"
    return None
