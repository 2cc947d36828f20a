"""What one sample tells: plain data that travels from the worker to its parent."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Taken:
    """One sample. Seconds: of the timed calls, and of the untimed ones before them with what arming
    took.

    ``waited`` is how long threads of the process, ready to run, stood in the kernel's queue for a
    CPU, as a share of both; None where the kernel does not tell. ``preempted`` is how often one was
    put off a CPU. ``device_seconds`` is CUDA's own account of the timed calls.
    """

    seconds: float
    untimed: float = 0.0
    waited: float | None = None
    preempted: int = 0
    device_seconds: float | None = None
