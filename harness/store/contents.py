"""What a journal held at one moment, and which of its records belong to which session.

A session's results are its own record of each key in its plans. One with ``resume=true`` borrows,
of what its own lack, the records that were settled when it planned. A planned key with neither is
missing: the session was cut short, or the line was torn.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from harness.records import AnyRecord, Status
from harness.store.entries import Failure, Plan, SessionEnd, SessionStart

SETTLED = (Status.OK, Status.UNSUPPORTED)


@dataclass
class Contents:
    """Everything, in the order in which it was written.

    ``records`` maps a key to its newest record, ``history`` has all of them. ``torn`` counts lines
    that could not be read, ``torn_during`` those that were written while a session ran.
    ``borrowed`` are, by session and key, the records of others that it need not measure.
    """

    sessions: dict[str, SessionStart] = field(default_factory=dict)
    plans: list[Plan] = field(default_factory=list)
    records: dict[str, AnyRecord] = field(default_factory=dict)
    history: list[AnyRecord] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    torn: int = 0
    ends: dict[str, SessionEnd] = field(default_factory=dict)
    torn_during: Counter[str] = field(default_factory=Counter)
    borrowed: dict[str, dict[str, AnyRecord]] = field(default_factory=dict)

    def add_session(self, session: SessionStart) -> None:
        self.sessions[session.id] = session

    def add_plan(self, plan: Plan) -> None:
        self.plans.append(plan)
        if plan.config.get("resume"):
            settled = {key: self.settled(key) for key in plan.keys}
            known = {key: record for key, record in settled.items() if record is not None}
            self.borrowed.setdefault(plan.session, {}).update(known)

    def add_torn_line(self) -> None:
        self.torn += 1
        self.torn_during.update(self._open_sessions())

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
        known = self._known(session)
        return [known[key] for key in self._planned(session) if key in known]

    def missing(self, session: str) -> list[str]:
        """The keys that a session planned, and neither measured nor borrowed."""
        known = self._known(session)
        return [key for key in self._planned(session) if key not in known]

    def _known(self, session: str) -> dict[str, AnyRecord]:
        own = {record.key: record for record in self.history if record.session == session}
        return {**self.borrowed.get(session, {}), **own}

    def _planned(self, session: str) -> list[str]:
        keys = (key for plan in self.plans_of(session) for key in plan.keys)
        return list(dict.fromkeys(keys))

    def _open_sessions(self) -> list[str]:
        """Those that may write now: the last to begin, and any before it without an end."""
        last = self.latest_session()
        return [
            name
            for name, session in self.sessions.items()
            if name not in self.ends and (session.process or name == last)
        ]
