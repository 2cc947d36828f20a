"""A session's exit status, read back from the journal."""

from __future__ import annotations

from collections.abc import Mapping

from harness.analysis.completeness import completeness
from harness.analysis.selection import case_records
from harness.analysis.slower_arms import slower_records
from harness.analysis.unasked import unasked_properties
from harness.records import AnyRecord, ExitStatus, Flag, Status
from harness.store import Contents


def exit_status(contents: Contents, session: str) -> ExitStatus:
    """FAILED where a record or a job failed, or something is slower and the session's
    ``gate.fail_if`` says that this fails it; UNDECIDED where a record is missing, no case of
    a property was asked, nothing was measured, or nothing that was proves anything; else OK.
    """
    found = completeness(contents, session)
    if found.failed or found.failures:
        return ExitStatus.FAILED
    records = contents.of_session(session)
    if slower_is_failure(contents, session) and slower_records(records):
        return ExitStatus.FAILED
    unasked = any(each.whole for each in unasked_properties(case_records(records)))
    decided = found.complete and not unasked and any(map(_is_decided, records))
    return ExitStatus.OK if decided else ExitStatus.UNDECIDED


def slower_is_failure(contents: Contents, session: str) -> bool:
    started = contents.sessions.get(session)
    gate = None if started is None else started.config.get("gate")  # early sessions have none
    return isinstance(gate, Mapping) and gate.get("fail_if") == "slower"


def _is_decided(record: AnyRecord) -> bool:
    """Whether it was measured and says something: a declared deviation does, a MISTRUSTED
    comparison does not.
    """
    if record.explanation is not None:
        return True
    return record.status is Status.OK and Flag.MISTRUSTED not in record.flags
