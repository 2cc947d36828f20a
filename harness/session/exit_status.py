"""A session's exit status, read back from the journal."""

from __future__ import annotations

from harness.analysis.selection import case_records
from harness.analysis.unasked import unasked_properties
from harness.records import AnyRecord, ExitStatus, Flag, Status
from harness.store import Contents


def exit_status(contents: Contents, session: str) -> ExitStatus:
    """FAILED where something failed or is missing; UNDECIDED where nothing was measured, or nothing
    that was proves anything, or no case of a property was asked; else OK.
    """
    records = contents.of_session(session)
    failed = any(record.failed for record in records)
    if failed or contents.missing(session) or contents.failures_of(session):
        return ExitStatus.FAILED
    if any(found.whole for found in unasked_properties(case_records(records))):
        return ExitStatus.UNDECIDED
    return ExitStatus.OK if any(map(_is_decided, records)) else ExitStatus.UNDECIDED


def _is_decided(record: AnyRecord) -> bool:
    """Whether it was measured and says something: a declared deviation does, a MISTRUSTED
    comparison does not.
    """
    if record.explanation is not None:
        return True
    return record.status is Status.OK and Flag.MISTRUSTED not in record.flags
