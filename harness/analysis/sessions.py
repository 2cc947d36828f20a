"""Which sessions of a journal can be taken for finished work, and why the others cannot."""

from __future__ import annotations

from enum import StrEnum

from harness.environment import is_running
from harness.store import Contents


class SessionState(StrEnum):
    """How far a session came. What is UNKNOWN began under another boot or on another machine, and
    may run there.
    """

    ENDED = "ended"
    RUNNING = "still runs"
    CUT_SHORT = "was cut short"
    UNKNOWN = "has not ended, or was cut short on another machine"
    PLANNED_NOTHING = "planned nothing"


# In these there may be something to compare; how much of it is missing is shown with it.
COMPARABLE = (SessionState.ENDED, SessionState.CUT_SHORT, SessionState.UNKNOWN)


def session_state(contents: Contents, session: str) -> SessionState:
    """Early sessions, of which no end was journalled, count as ended."""
    process = contents.sessions[session].process
    if session not in contents.ends and process:
        running = is_running(process)
        if running:
            return SessionState.RUNNING
        if contents.plans_of(session):
            return SessionState.UNKNOWN if running is None else SessionState.CUT_SHORT
    planned = contents.plans_of(session) or contents.failures_of(session)
    return SessionState.ENDED if planned else SessionState.PLANNED_NOTHING


def session_states(contents: Contents) -> dict[str, SessionState]:
    """Of all sessions, in the order in which they began."""
    return {session: session_state(contents, session) for session in contents.sessions}
