"""Records as plain data: what the journal, exported files and MLflow hold, and reading it back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TypeVar

from harness.records.arm_setting import ArmSetting
from harness.records.cells import CaseCell, Cell, ThroughputCell, TrainingCell
from harness.records.figures import CaseFigures, ThroughputFigures, TrainingFigures
from harness.records.plain_data import InvalidDataError, Plain, digest, from_plain, to_plain
from harness.records.record import (
    SCHEMA,
    AnyRecord,
    CaseRecord,
    Identity,
    ThroughputRecord,
    TrainingRecord,
)
from harness.records.samples import ComparedQuantity, Cost, TimedSample, TrainingStep
from harness.records.statuses import Flag, Status

CellT = TypeVar("CellT", bound=Cell)


class NewerSchemaError(ValueError):
    """A record was written by a later version of the program, and would be misread."""


def record_to_plain(record: AnyRecord) -> dict[str, Plain]:
    """The record as it is written, its task named among what identifies it."""
    plain = {field.name: to_plain(getattr(record, field.name)) for field in fields(record)}
    identity = plain["identity"]
    if not isinstance(identity, dict):
        raise TypeError("an identity is a dataclass")
    return {**plain, "identity": {"task": record.task, **identity}}


def record_from_plain(data: Mapping[str, object]) -> AnyRecord:
    """The record that `record_to_plain` made plain. Raises ``NewerSchemaError``,
    ``InvalidDataError``.
    """
    schema = from_plain(data.get("schema"), int)
    if schema > SCHEMA:
        raise NewerSchemaError(
            f"record schema {schema} is newer than {SCHEMA}, which this bnbench reads; upgrade it"
        )
    try:
        return _record(data)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InvalidDataError(f"not a valid record: {type(error).__name__}: {error}") from error


@dataclass(frozen=True)
class _Common:
    """The fields that records of all tasks have alike."""

    session: str
    time: str
    status: Status
    reason: str | None = None
    flags: tuple[Flag, ...] = ()
    cost: Cost = Cost()
    explanation: str | None = None
    schema: int = SCHEMA


def _record(data: Mapping[str, object]) -> AnyRecord:
    identity = from_plain(data["identity"], dict[str, object])
    common = vars(from_plain(data, _Common))
    figures, samples = data["figures"], data["samples"]
    match identity["task"]:
        case ThroughputCell.TASK:
            return ThroughputRecord(
                _identity(identity, ThroughputCell),
                figures=None if figures is None else from_plain(figures, ThroughputFigures),
                samples=from_plain(samples, tuple[TimedSample, ...]),
                **common,
            )
        case TrainingCell.TASK:
            return TrainingRecord(
                _identity(identity, TrainingCell),
                figures=None if figures is None else from_plain(figures, TrainingFigures),
                samples=from_plain(samples, tuple[TrainingStep, ...]),
                **common,
            )
        case CaseCell.TASK:
            return CaseRecord(
                _identity(identity, CaseCell),
                figures=None if figures is None else from_plain(figures, CaseFigures),
                samples=from_plain(samples, tuple[ComparedQuantity, ...]),
                **common,
            )
        case task:
            known = ", ".join(kind.TASK for kind in (ThroughputCell, TrainingCell, CaseCell))
            raise InvalidDataError(f"unknown task {task!r}; this version knows {known}")


def _identity(data: Mapping[str, object], kind: type[CellT]) -> Identity[CellT]:
    """With the key of the cell as it was written: one that lacks today's fields keeps its own."""
    read = from_plain(data, _Identified)
    cell = from_plain(read.cell, kind)
    made = Identity(read.implementation, cell, read.source, read.environment, read.arm)
    written = {"task": kind.TASK, "cell": read.cell, "environment": read.environment}
    made.__dict__["cell_key"] = digest(written)  # where `cached_property` looks first
    return made


@dataclass(frozen=True)
class _Identified:
    """An identity whose cell is plain data still."""

    implementation: str
    cell: dict[str, object]
    source: str
    environment: str
    arm: ArmSetting | None = None
