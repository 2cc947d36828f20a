"""What a worker's failure makes of the record that it was working on."""

from __future__ import annotations

from harness.isolation.worker_process import WorkerDied, WorkerError, WorkerTimedOut
from harness.records import Status

WORKER_FAILURES = (WorkerDied, WorkerTimedOut, WorkerError)
WorkerFailure = WorkerDied | WorkerTimedOut | WorkerError


def failure_status(failure: WorkerFailure) -> Status:
    return Status.TIMEOUT if isinstance(failure, WorkerTimedOut) else Status.CRASHED
