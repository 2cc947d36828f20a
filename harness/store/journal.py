"""Append-only results on disk: what is in it is never lost and never measured twice.

One file, ``journal.jsonl``, of JSON lines of five kinds, each flushed to the disk before anything
else happens:

    {"kind": "session", ...}   a command began: `entries.SessionStart`
    {"kind": "plan", ...}      a job will make these records: `entries.Plan`
    {"kind": "record", ...}    one result: `records.Record`
    {"kind": "failure", ...}   a job could not be carried through: `entries.Failure`
    {"kind": "end", ...}       a command ended: `entries.SessionEnd`

A line that a kill or a full disk tore is skipped and counted, and never spoils the line after it.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from harness.records import (
    AnyRecord,
    NewerSchemaError,
    Plain,
    from_plain,
    plain_fields,
    record_from_plain,
    record_to_plain,
)
from harness.store.contents import Contents
from harness.store.entries import Failure, Plan, SessionEnd, SessionStart

FILE = "journal.jsonl"


class Journal:
    """The journal in ``folder``, made if absent. Any number of processes may append at once."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self.path = self.folder / FILE

    def begin(self, session: SessionStart) -> None:
        environment = session.environment.to_data()
        self._append("session", {**plain_fields(session), "environment": environment})

    def plan(self, plan: Plan) -> None:
        self._append("plan", plain_fields(plan))

    def fail(self, failure: Failure) -> None:
        self._append("failure", plain_fields(failure))

    def end(self, end: SessionEnd) -> None:
        self._append("end", plain_fields(end))

    def append(self, record: AnyRecord) -> None:
        self._append("record", record_to_plain(record))

    def read(self) -> Contents:
        """All of the journal; an absent file is an empty one. Raises ``NewerSchemaError``."""
        contents = Contents()
        for line in _lines(self.path):
            try:
                _add(contents, json.loads(line))
            except NewerSchemaError:
                raise
            except (ValueError, KeyError, TypeError, AttributeError):  # torn, or not of a journal
                contents.torn += 1
        return contents

    def _append(self, kind: str, entry: Mapping[str, Plain]) -> None:
        line = json.dumps({"kind": kind, **entry}, allow_nan=False, sort_keys=True).encode() + b"\n"
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if file.tell() and _last_byte(file.fileno()) != b"\n":
                line = b"\n" + line  # the line before was torn: it must not spoil this one
            file.write(line)
            file.flush()
            os.fsync(file.fileno())


def _add(contents: Contents, entry: dict[str, object]) -> None:
    """Put one line's entry where it belongs. Raises whatever an entry of no known form leads to."""
    match entry.pop("kind"):
        case "session":
            session = from_plain(entry, SessionStart)
            contents.sessions[session.id] = session
        case "end":
            end = from_plain(entry, SessionEnd)
            contents.ends[end.session] = end
        case "plan":
            contents.plans.append(from_plain(entry, Plan))
        case "record":
            record = record_from_plain(entry)
            contents.records[record.key] = record
            contents.history.append(record)
        case "failure":
            contents.failures.append(from_plain(entry, Failure))
        case kind:
            raise ValueError(f"no line of a journal is of kind {kind!r}")


def _lines(path: Path) -> Iterable[bytes]:
    if not path.exists():
        return ()
    return (line for line in path.read_bytes().split(b"\n") if line)


def _last_byte(descriptor: int) -> bytes:
    return os.pread(descriptor, 1, os.fstat(descriptor).st_size - 1)
