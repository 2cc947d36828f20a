"""What a journal held at one moment, and which of its records belong to which session.

A session's results are its own record of each key in its plans, or else the newest one, whoever
measured it: a resumed session finds its old records there, and a planned key without a record shows
that the session was cut short.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.records import AnyRecord, Status
from harness.store.entries import Failure, Plan, SessionEnd, SessionStart

SETTLED = (Status.OK, Status.UNSUPPORTED)


@dataclass
class Contents:
    """Everything, in the order in which it was written.

    ``records`` maps a key to its newest record, ``history`` has all of them. ``torn`` counts lines
    that could not be read.
    """

    sessions: dict[str, SessionStart] = field(default_factory=dict)
    plans: list[Plan] = field(default_factory=list)
    records: dict[str, AnyRecord] = field(default_factory=dict)
    history: list[AnyRecord] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    torn: int = 0
    ends: dict[str, SessionEnd] = field(default_factory=dict)

    def settled(self, key: str) -> AnyRecord | None:
        """The record that ``resume`` need not measure again, since it would come out the same."""
        record = self.records.get(key)
        if record is None:
            return None
        settled = record.status in SETTLED or record.explanation is not None
        return record if settled else None

    def latest_session(self) -> str | None:
        return next(reversed(self.sessions), None)

    def plans_of(self, session: str) -> list[Plan]:
        return [plan for plan in self.plans if plan.session == session]

    def failures_of(self, session: str) -> list[Failure]:
        return [failure for failure in self.failures if failure.session == session]

    def of_session(self, session: str) -> list[AnyRecord]:
        """The records of a session in the order of its plans, each key once."""
        own = {record.key: record for record in self.history if record.session == session}
        known = {**self.records, **own}
        return [known[key] for key in self._planned(session) if key in known]

    def missing(self, session: str) -> list[str]:
        """The keys that a session planned and nobody measured."""
        return [key for key in self._planned(session) if key not in self.records]

    def _planned(self, session: str) -> list[str]:
        keys = (key for plan in self.plans_of(session) for key in plan.keys)
        return list(dict.fromkeys(keys))
