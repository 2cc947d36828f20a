"""A session's records as one flat table: a row a record, a column a setting or a figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.records import (
    AnyRecord,
    ModeratedFigures,
    Plain,
    ThroughputRecord,
    flat,
    plain_fields,
    to_json,
)
from harness.store.columns import column

FIRST = (
    "key",
    "task",
    "implementation",
    "status",
    "flags",
    "reason",
    "explanation",
    "session",
    "time",
    "environment",
    "source",
)
RAW = ("around_blocks", "floors")  # of figures: samples, and no figures


def write_table(
    records: Sequence[AnyRecord],
    path: Path,
    moderated: Mapping[str, ModeratedFigures] | None = None,
) -> None:
    """One row a record, so one for each arm of each cell, or of each seed.

    Settings are under their own names (``dataset``, ``seed``, ``problem.dtype``), with ``problem``
    in words; figures and costs as ``figures.ratio.estimate`` and ``cost.prepare_seconds``;
    ``figures.accuracy.worst`` is the error that stands for the arm; what is moderated, given by the
    record's key, is ``moderated.ratio.estimate`` and the like; what a labelled arm stands for
    ``arm.name``, ``arm.versions.torch``. What a task lacks, or a record that is not OK, is null.
    Lists are JSON, so that one can group by them.
    """
    import pyarrow as pa
    from pyarrow import parquet

    known = moderated or {}
    rows = [row_of(record, known.get(record.key)) for record in records]
    columns = {name: column(entries) for name, entries in _columns(rows).items()}
    parquet.write_table(pa.table(columns), path)


def row_of(record: AnyRecord, moderated: ModeratedFigures | None = None) -> dict[str, Plain]:
    """The record's entries by column."""
    identity = record.identity
    own: dict[str, Plain] = {
        "key": record.key,
        "task": record.task,
        "implementation": record.implementation,
        "status": str(record.status),
        "flags": ", ".join(record.flags),
        "reason": record.reason,
        "explanation": record.explanation,
        "session": record.session,
        "time": record.time,
        "environment": identity.environment,
        "source": identity.source,
    }
    if isinstance(record, ThroughputRecord):
        own["problem"] = str(record.cell.problem)
        own |= _worst_error(record)
    figures = {} if record.figures is None else plain_fields(record.figures)
    figures = {name: value for name, value in figures.items() if name not in RAW}
    nested = {**plain_fields(record.cell), "figures": figures, "cost": plain_fields(record.cost)}
    nested["arm"] = {} if identity.arm is None else plain_fields(identity.arm)
    if moderated is not None:
        nested["moderated"] = plain_fields(moderated)
    return {**{name: _entry(value) for name, value in flat(nested).items()}, **own}


def _worst_error(record: ThroughputRecord) -> dict[str, Plain]:
    accuracy = None if record.figures is None else record.figures.accuracy
    if accuracy is None:
        return {}
    return {
        "figures.accuracy.worst": accuracy.worst,
        "figures.accuracy.worst_quantity": accuracy.worst_quantity,
    }


def _columns(rows: Sequence[Mapping[str, Plain]]) -> dict[str, list[Plain]]:
    """The entries of each column; none that only says that what others hold is absent."""
    names = dict.fromkeys([*FIRST, *(name for row in rows for name in row)])
    columns = {name: [row.get(name) for row in rows] for name in names}
    groups = {name.rpartition(".")[0] for name in names}
    return {
        name: entries
        for name, entries in columns.items()
        if name not in groups or any(entry is not None for entry in entries)
    }


def _entry(value: object) -> Plain:
    """A scalar as it is, a list as JSON."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return to_json(value)
