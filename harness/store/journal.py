"""Append-only results on disk: what is in it is never lost and never measured twice.

One file, ``journal.jsonl``, of JSON lines of four kinds, each flushed to the disk before anything
else happens:

    {"kind": "session", "id", "time", "command", "environment", "config"}     a command began
    {"kind": "plan", "session", "job", "task", "config", "keys"}              a job will see to
                                                                              these records
    {"kind": "record", ...}                                                   one result, as
                                                                              `records.Record`
    {"kind": "failure", "session", "job", "reason"}                           a job could not be
                                                                              carried through

A session's results are its own record of each key in its plans, or else the newest one, whoever
measured it: a resumed session finds its old records there, and a planned key without a record tells
that the session was cut short. A line that a kill or a full disk tore is skipped, counted and told,
and never eats the line after it.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.records import NewerSchemaError, Record, Status

FILE = "journal.jsonl"
SETTLED = (Status.OK, Status.UNSUPPORTED)


@dataclass(frozen=True)
class Plan:
    """What one job of a session set out to do: ``keys`` of records, under a resolved
    configuration.
    """

    session: str
    job: str
    task: str
    config: Mapping[str, Any]
    keys: tuple[str, ...]


@dataclass
class Contents:
    """All that a journal holds, read at one moment. ``records`` maps a key to its newest record."""

    sessions: dict[str, dict[str, Any]] = field(default_factory=dict)
    plans: list[Plan] = field(default_factory=list)
    records: dict[str, Record] = field(default_factory=dict)
    history: list[Record] = field(default_factory=list)
    failures: list[dict[str, str]] = field(default_factory=list)
    torn: int = 0

    def settled(self, key: str) -> Record | None:
        """The record that ``resume`` need not measure again, if there is one: it would come out the
        same.
        """
        record = self.records.get(key)
        known = record is not None and (record.status in SETTLED or record.explanation is not None)
        return record if known else None

    def latest_session(self) -> str | None:
        return next(reversed(self.sessions), None)

    def of_session(self, session: str) -> list[Record]:
        """The records of a session in the order of its plans, each key once."""
        own = {record.key: record for record in self.history if record.session == session}
        known = {**self.records, **own}
        return [known[key] for key in self._planned(session) if key in known]

    def missing(self, session: str) -> list[str]:
        """The keys that a session planned and nobody measured."""
        return [key for key in self._planned(session) if key not in self.records]

    def _planned(self, session: str) -> dict[str, None]:
        return dict.fromkeys(
            key for plan in self.plans if plan.session == session for key in plan.keys
        )


class Journal:
    """The journal in ``folder``, which is made if it is not there. Any number of processes may
    append at once.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self.path = self.folder / FILE

    def begin(self, session: str, **about: Any) -> None:
        self._append({"kind": "session", "id": session, **about})

    def plan(self, plan: Plan) -> None:
        self._append({"kind": "plan", **vars(plan), "keys": list(plan.keys)})

    def fail(self, session: str, job: str, reason: str) -> None:
        self._append({"kind": "failure", "session": session, "job": job, "reason": reason})

    def append(self, record: Record) -> None:
        self._append({"kind": "record", **json.loads(record.to_json())})

    def read(self) -> Contents:
        """Everything in the journal; an absent file is an empty journal. Raises
        ``NewerSchemaError``.
        """
        contents = Contents()
        for line in _lines(self.path):
            try:
                _take(contents, json.loads(line))
            except NewerSchemaError:
                raise
            # torn, or nothing that a journal writes
            except (ValueError, KeyError, TypeError, AttributeError):
                contents.torn += 1
        return contents

    def _append(self, entry: Mapping[str, Any]) -> None:
        line = json.dumps(entry, allow_nan=False, sort_keys=True).encode() + b"\n"
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if file.tell() and _last_byte(file.fileno()) != b"\n":
                line = b"\n" + line  # the line before was torn: let it not swallow this one
            file.write(line)
            file.flush()
            os.fsync(file.fileno())


def _take(contents: Contents, entry: dict[str, Any]) -> None:
    """Put one line's entry where it belongs. Raises whatever an entry of no known form leads to."""
    match entry.pop("kind"):
        case "session":
            contents.sessions[entry["id"]] = entry
        case "plan":
            contents.plans.append(Plan(**{**entry, "keys": tuple(entry["keys"])}))
        case "record":
            record = Record.from_data(entry)
            contents.records[record.key] = record
            contents.history.append(record)
        case "failure":
            contents.failures.append({key: entry[key] for key in ("session", "job", "reason")})
        case kind:
            raise ValueError(f"no line of a journal is of kind {kind!r}")


def _lines(path: Path) -> Iterable[bytes]:
    if not path.exists():
        return ()
    return (line for line in path.read_bytes().split(b"\n") if line)


def _last_byte(descriptor: int) -> bytes:
    return os.pread(descriptor, 1, os.fstat(descriptor).st_size - 1)
