"""Frozen records: what became of one implementation in one cell."""

from harness.records.record import (
    CANARY,
    SCHEMA,
    Flag,
    Identity,
    Interval,
    NewerSchemaError,
    Record,
    Status,
    Verdict,
    differing,
    digest,
    flat,
)

__all__ = [
    "CANARY",
    "SCHEMA",
    "Flag",
    "Identity",
    "Interval",
    "NewerSchemaError",
    "Record",
    "Status",
    "Verdict",
    "differing",
    "digest",
    "flat",
]
