"""Append-only results on disk: what is in it is never lost and never measured twice.

One file, ``journal.jsonl``, of JSON lines of five kinds, each flushed to the disk before anything
else happens:

    {"kind": "session", ...}   a command began: `entries.SessionStart`
    {"kind": "plan", ...}      a job will make these records: `entries.Plan`
    {"kind": "record", ...}    one result: `records.Record`
    {"kind": "failure", ...}   a job could not be carried through: `entries.Failure`
    {"kind": "end", ...}       a command ended: `entries.SessionEnd`

No line has the credentials of a URI. One that a kill or a full disk tore is skipped and counted,
and never spoils the line after it.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path

from harness.config import UsageError
from harness.config.disk_errors import disk_trouble
from harness.records import (
    AnyRecord,
    NewerSchemaError,
    Plain,
    from_plain,
    plain_fields,
    published,
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
        """All of the journal; an absent file is an empty one. Raises ``NewerSchemaError``,
        and ``UsageError`` for one that cannot be read.
        """
        contents = Contents()
        for line in _lines(self.path):
            try:
                _add(contents, json.loads(line))
            except NewerSchemaError:
                raise
            # torn, or not of a journal
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                contents.add_torn_line()
        return contents

    def _append(self, kind: str, entry: Mapping[str, Plain]) -> None:
        text = _json({"kind": kind, **entry})
        if "://" in text:  # some have a hundred thousand numbers, and few a URI
            text = _json(published({"kind": kind, **entry}))
        line = text.encode() + b"\n"
        self.folder.mkdir(parents=True, exist_ok=True)
        with _naming(self.path), self.path.open("ab+") as file:
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
            contents.add_session(from_plain(entry, SessionStart))
        case "end":
            end = from_plain(entry, SessionEnd)
            contents.ends[end.session] = end
        case "plan":
            contents.add_plan(from_plain(entry, Plan))
        case "record":
            record = record_from_plain(entry)
            contents.records[record.key] = record
            contents.history.append(record)
        case "failure":
            contents.failures.append(from_plain(entry, Failure))
        case kind:
            raise ValueError(f"no line of a journal is of kind {kind!r}")


def _json(entry: Plain) -> str:
    return json.dumps(entry, allow_nan=False, sort_keys=True)


def _lines(path: Path) -> Iterable[bytes]:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise UsageError(disk_trouble(error, path)) from error
    return (line for line in content.split(b"\n") if line)


@contextmanager
def _naming(path: Path) -> Generator[None]:
    """The errors of a block with the file's name, which those of writing lack."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


def _last_byte(descriptor: int) -> bytes:
    return os.pread(descriptor, 1, os.fstat(descriptor).st_size - 1)
