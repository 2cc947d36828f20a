"""Worker processes: every implementation runs in one, so that a crash or a hang costs its own
record only.

places          where a worker runs, if not in this interpreter and environment
place_facts     what is in force there
place_messages  why no worker starts there, in words
settings        how a worker process is set up
worker_process  the parent's side: start, ask, wait, notice its death
process         what a worker's process is to its parent, and a new interpreter as one
fork_server     workers forked from a process that has imported PyTorch already
fork_serving    that process
serving         the worker's side: answer requests
messages        what travels between the two
worker_pool     untimed work side by side
device_presence whether the device is there
loading         whether an implementation from outside can be loaded, asked once
machine_lock    timed work one at a time, and nothing beside it
lock_holders    who holds that lock
interruption    Ctrl-C, heeded where it is safe to stop
failures        the status of a record whose worker failed
"""

from harness.isolation.places import HERE, Arm, Place
from harness.isolation.settings import WAIT_POLICIES, WorkerSettings
from harness.isolation.worker_pool import Lane, WorkerKind, side_by_side
from harness.isolation.worker_process import (
    Call,
    OnProgress,
    WorkerDied,
    WorkerError,
    WorkerProcess,
    WorkerTimedOut,
    WorkerUnavailable,
)

__all__ = [
    "HERE",
    "WAIT_POLICIES",
    "Arm",
    "Call",
    "Lane",
    "OnProgress",
    "Place",
    "WorkerDied",
    "WorkerError",
    "WorkerKind",
    "WorkerProcess",
    "WorkerSettings",
    "WorkerTimedOut",
    "WorkerUnavailable",
    "side_by_side",
]
