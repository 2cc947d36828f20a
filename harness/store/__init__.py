"""What was measured, on disk: what is in the journal is never lost and never measured twice."""

from harness.store.journal import Contents, Journal, Plan

__all__ = ["Contents", "Journal", "Plan"]
