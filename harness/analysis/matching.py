"""Which cells are the same, where some of what defines a cell does not matter."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from harness.records import (
    AnyRecord,
    CaseRecord,
    Cell,
    ThroughputRecord,
    TrainingRecord,
    plain_fields,
    to_json,
)


def key_without(cell: Cell, *names: str) -> str:
    """A key of all that defines the cell but the fields of these names, which it has to have."""
    fields = plain_fields(cell)
    for name in names:
        del fields[name]
    return to_json(fields)


def matching_key(record: AnyRecord) -> str:
    """A key that records of two sessions share where they measured the same thing, whatever the
    machine, and however surely they measured it.
    """
    match record:
        case ThroughputRecord():
            unbounded = replace(record.cell, accuracy=None)
            rest = key_without(unbounded, "margin", "alpha", "seed", "protocol")
        case TrainingRecord():
            rest = key_without(record.cell, "alpha", "protocol")
        case CaseRecord():
            rest = key_without(record.cell, "protocol")
        case _:
            assert_never(record)
    return f"{record.task} {rest}"
