"""Whether an implementation from outside can be loaded at all: a worker is asked once, so that a
module that hangs, or ends its process, costs one wait and not one for each case.
"""

from __future__ import annotations

import threading
from collections import defaultdict

from harness.conformance.messages import CaseOutcome
from harness.isolation import Call, WorkerError
from harness.isolation.failures import WORKER_FAILURES, failure_status
from harness.records import Status
from implementations import registry


class Loading:
    """What came of loading each implementation, for all lanes. ``timeout`` is in seconds."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._outcomes: dict[str, CaseOutcome] = {}
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def failure(self, call: Call, specification: registry.Specification) -> CaseOutcome | None:
        """What becomes of every case where the implementation cannot be loaded; else None.

        bnbench's own load, or say themselves why they do not.
        """
        if not registry.is_foreign(specification):
            return None
        name = registry.name_of(specification)
        with self._locks[name]:
            if name not in self._outcomes:
                self._outcomes[name] = self._asked(call, specification)
        outcome = self._outcomes[name]
        return None if outcome.status is Status.OK else outcome

    def _asked(self, call: Call, specification: registry.Specification) -> CaseOutcome:
        try:
            return call("load", CaseOutcome, self._timeout, implementation=specification)
        except WORKER_FAILURES as failure:
            reason = failure.reason if isinstance(failure, WorkerError) else str(failure)
            return CaseOutcome(failure_status(failure), f"on being loaded: {reason}")
