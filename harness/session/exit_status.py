"""A session's exit status, read back from the journal."""

from __future__ import annotations

from harness.analysis.completeness import completeness
from harness.records import AnyRecord, ExitStatus, Flag, Status
from harness.store import Contents


def exit_status(contents: Contents, session: str) -> ExitStatus:
    """FAILED where a record or a job failed; UNDECIDED where a record is missing, nothing was
    measured, or nothing that was proves anything; else OK.
    """
    found = completeness(contents, session)
    if found.failed or found.failures:
        return ExitStatus.FAILED
    decided = found.complete and any(map(_is_decided, contents.of_session(session)))
    return ExitStatus.OK if decided else ExitStatus.UNDECIDED


def _is_decided(record: AnyRecord) -> bool:
    """Whether it was measured and says something: a documented deviation does, a MISTRUSTED
    comparison does not.
    """
    if record.explanation is not None:
        return True
    return record.status is Status.OK and Flag.MISTRUSTED not in record.flags
