"""What a failing worker, or a refusing implementation, makes of the record that was in work."""

from __future__ import annotations

from harness.isolation.worker_process import (
    WorkerDied,
    WorkerError,
    WorkerTimedOut,
    WorkerUnavailable,
)
from harness.records import Status
from implementations import Unavailable, Unsupported
from implementations.interface import ContractError

WORKER_FAILURES = (WorkerDied, WorkerTimedOut, WorkerError)
WorkerFailure = WorkerDied | WorkerTimedOut | WorkerError
Refusal = Unsupported | Unavailable

# By what an exception of a worker's service is called in its `RemoteFailure`: those whose message
# is the whole reason. `LoadFailure`, a kind of `Unavailable`, is not here on purpose: it is the
# implementation's fault, no refusal.
REMOTE_STATUSES = {
    Unsupported.__name__: Status.UNSUPPORTED,
    Unavailable.__name__: Status.UNAVAILABLE,
    ContractError.__name__: Status.WRONG,
}


def failure_status(failure: WorkerFailure) -> Status:
    if isinstance(failure, WorkerError):
        return REMOTE_STATUSES.get(failure.kind, Status.CRASHED)
    if isinstance(failure, WorkerUnavailable):
        return Status.UNAVAILABLE
    return Status.TIMEOUT if isinstance(failure, WorkerTimedOut) else Status.CRASHED


def failure_reason(failure: WorkerFailure) -> str:
    if isinstance(failure, WorkerError) and failure.kind in REMOTE_STATUSES:
        return failure.reason
    return f"it raised {failure}" if isinstance(failure, WorkerError) else str(failure)


def refusal_status(refusal: Refusal) -> Status:
    return Status.UNSUPPORTED if isinstance(refusal, Unsupported) else Status.UNAVAILABLE
