"""What was measured, on disk: what is in the journal is never lost and never measured twice.

journal     the file, its lines and its lock
entries     what it holds beside records
contents    what it held at one moment, and what of that belongs to a session
running     which sessions are running
export      a session's results as plain files that other tools read
flat_table  one of them: a row a record, with all settings and figures
columns     of exported tables
"""

from harness.store.contents import Contents
from harness.store.entries import Failure, Plan, SessionEnd, SessionStart
from harness.store.journal import Journal

__all__ = ["Contents", "Failure", "Journal", "Plan", "SessionEnd", "SessionStart"]
