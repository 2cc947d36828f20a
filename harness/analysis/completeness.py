"""How much of what a session planned is there, and how much of that is in doubt."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.records import AnyRecord, CaseRecord, flat
from harness.store import Contents, Failure, Plan


@dataclass(frozen=True)
class Completeness:
    """Of one session. ``failed`` and ``flagged`` records are among those that are there, as those
    that an ``earlier`` session measured are; ``torn`` counts the journal's lines that could not be
    read, ``torn_during`` those of them that were written while the session ran; ``failures`` are
    jobs that could not be carried through.
    """

    planned: int
    missing: int
    torn: int = 0
    torn_during: int = 0
    failed: int = 0
    flagged: int = 0
    earlier: int = 0
    failures: tuple[Failure, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether all that was planned is there, as far as what can be read tells."""
        return not (self.missing or self.torn_during or self.failures)


def completeness(contents: Contents, session: str) -> Completeness:
    records = contents.of_session(session)
    missing = len(contents.missing(session))
    return Completeness(
        planned=len(records) + missing,
        missing=missing,
        torn=contents.torn,
        torn_during=contents.torn_during[session],
        failed=sum(record.failed for record in records),
        flagged=len(flagged(records)),
        earlier=sum(record.session != session for record in records),
        failures=tuple(contents.failures_of(session)),
    )


def flagged(records: Iterable[AnyRecord]) -> list[AnyRecord]:
    """Those that a flag keeps from a verdict. Conformance has none; MISTRUSTED is of a case."""
    return [record for record in records if record.flags and not isinstance(record, CaseRecord)]


def own_settings(contents: Contents, plan: Plan) -> dict[str, object]:
    """The settings, by dotted key, in which a job differs from its session's configuration."""
    common = flat(contents.sessions[plan.session].config)
    return {key: value for key, value in flat(plan.config).items() if common.get(key) != value}
