"""Whether an implementation from outside can be loaded at all: a worker is asked once, so that a
module that hangs, or ends its process, costs one wait and not one for each record.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass

from harness.isolation.failures import WORKER_FAILURES, failure_status
from harness.isolation.places import HERE, Arm, Place
from harness.isolation.worker_process import Call, WorkerError, WorkerUnavailable
from harness.records import Status
from implementations import Unavailable, registry


@dataclass(frozen=True)
class LoadOutcome:
    """What came of loading an implementation; the reason where the status is not OK."""

    status: Status
    reason: str | None = None


def load(*, implementation: registry.Specification) -> LoadOutcome:
    """The worker's service. What is the implementation's own fault is raised."""
    try:
        registry.load(implementation)
    except registry.LoadFailure:
        raise
    except Unavailable as refusal:
        return LoadOutcome(Status.UNAVAILABLE, str(refusal) or "it gives no reason")
    return LoadOutcome(Status.OK)


class Loading:
    """What came of loading each implementation, for all lanes. ``timeout`` is in seconds."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._outcomes: dict[tuple[str, Place], LoadOutcome] = {}
        self._locks: defaultdict[tuple[str, Place], threading.Lock] = defaultdict(threading.Lock)

    def failure(self, call: Call, arm: Arm) -> LoadOutcome | None:
        """What becomes of every record where the implementation cannot be loaded; else None.

        bnbench's own are not asked here: what keeps one from being loaded, it finds out at once. In
        another place not even a worker may start.
        """
        if not registry.is_foreign(arm.implementation) and arm.place == HERE:
            return None
        key = registry.name_of(arm.implementation), arm.place
        with self._locks[key]:
            if key not in self._outcomes:
                self._outcomes[key] = self._asked(call, arm.implementation)
        outcome = self._outcomes[key]
        return None if outcome.status is Status.OK else outcome

    def _asked(self, call: Call, specification: registry.Specification) -> LoadOutcome:
        try:
            return call("load", LoadOutcome, self._timeout, implementation=specification)
        except WorkerUnavailable as failure:
            return LoadOutcome(Status.UNAVAILABLE, str(failure))
        except WORKER_FAILURES as failure:
            reason = failure.reason if isinstance(failure, WorkerError) else str(failure)
            return LoadOutcome(failure_status(failure), f"on being loaded: {reason}")
