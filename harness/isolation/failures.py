"""What a failing worker, or a refusing implementation, makes of the record that was in work."""

from __future__ import annotations

from harness.isolation.worker_process import WorkerDied, WorkerError, WorkerTimedOut
from harness.records import Status
from implementations import Unavailable, Unsupported

WORKER_FAILURES = (WorkerDied, WorkerTimedOut, WorkerError)
WorkerFailure = WorkerDied | WorkerTimedOut | WorkerError
Refusal = Unsupported | Unavailable

# What a refusal that a worker's service raised is called in its `RemoteFailure`. `LoadFailure`, a
# kind of `Unavailable`, is not here on purpose: it is the implementation's fault, no refusal.
REMOTE_REFUSALS = {
    Unsupported.__name__: Status.UNSUPPORTED,
    Unavailable.__name__: Status.UNAVAILABLE,
}


def failure_status(failure: WorkerFailure) -> Status:
    return Status.TIMEOUT if isinstance(failure, WorkerTimedOut) else Status.CRASHED


def refusal_status(refusal: Refusal) -> Status:
    return Status.UNSUPPORTED if isinstance(refusal, Unsupported) else Status.UNAVAILABLE
