"""What a journal holds beside records: sessions that began, their plans, jobs that failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.environment import Environment


@dataclass(frozen=True)
class SessionStart:
    """A command began. ``time`` is in ISO 8601 and UTC, ``config`` the resolved configuration."""

    id: str
    time: str = ""
    command: str | tuple[str, ...] = ()  # early sessions wrote one text
    environment: Environment = field(default_factory=Environment)
    config: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class SessionEnd:
    """A command came to its end, with or without success. One that was killed has none."""

    session: str
    state: str  # as in MLflow: FINISHED, FAILED or KILLED


@dataclass(frozen=True)
class Plan:
    """The records, by their ``keys``, that one job of a session set out to make, and its resolved
    configuration.
    """

    session: str
    job: str
    task: str
    config: Mapping[str, object]
    keys: tuple[str, ...]


@dataclass(frozen=True)
class Failure:
    """A job could not be carried through."""

    session: str
    job: str
    reason: str
