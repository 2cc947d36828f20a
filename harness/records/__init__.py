"""Frozen records: what became of one implementation in one cell.

cells      what defines a measurement: `ThroughputCell`, `TrainingCell`, `CaseCell`
figures    what an OK record says: `ThroughputFigures`, `TrainingFigures`, `CaseFigures`
accuracy   how far an arm's results are from the exact ones: `Accuracy`, `QuantityError`
samples    the raw observations that figures derive from
arm_setting what a labelled arm stands for, or where else it runs: `ArmSetting`
record     a cell, an implementation and what became of it: `Record`, one class for each task
statuses   `Status`, `Flag`, `Verdict`, `Doubt`, `StopReason`, `ExitStatus`
interval   an estimate and its confidence interval: `Interval`
units      units as types: `Seconds`, `Bytes`
plain_data to plain data, ready for JSON, and back
reading    records as plain data, of this and earlier schemas
"""

from harness.records.accuracy import Accuracy, QuantityError
from harness.records.arm_setting import ArmSetting
from harness.records.cells import CaseCell, Cell, Protocol, ThroughputCell, TrainingCell
from harness.records.figures import (
    CaseFigures,
    Conditions,
    Figures,
    Floor,
    MemoryUse,
    ModeratedFigures,
    ThroughputFigures,
    TimeSpent,
    TrainingFigures,
)
from harness.records.interval import Interval
from harness.records.plain_data import (
    InvalidDataError,
    Plain,
    differing,
    digest,
    flat,
    from_plain,
    plain_fields,
    published,
    to_json,
    to_plain,
)
from harness.records.reading import NewerSchemaError, record_from_plain, record_to_plain
from harness.records.record import (
    CANARY,
    SCHEMA,
    AnyIdentity,
    AnyRecord,
    CaseRecord,
    Identity,
    Record,
    ThroughputRecord,
    TrainingRecord,
)
from harness.records.samples import (
    BlockConditions,
    ComparedQuantity,
    Cost,
    Sample,
    TimedSample,
    TrainingStep,
)
from harness.records.statuses import Doubt, ExitStatus, Flag, Status, StopReason, Verdict
from harness.records.units import Bytes, Seconds

__all__ = [
    "CANARY",
    "SCHEMA",
    "Accuracy",
    "AnyIdentity",
    "AnyRecord",
    "ArmSetting",
    "BlockConditions",
    "Bytes",
    "CaseCell",
    "CaseFigures",
    "CaseRecord",
    "Cell",
    "ComparedQuantity",
    "Conditions",
    "Cost",
    "Doubt",
    "ExitStatus",
    "Figures",
    "Flag",
    "Floor",
    "Identity",
    "Interval",
    "InvalidDataError",
    "MemoryUse",
    "ModeratedFigures",
    "NewerSchemaError",
    "Plain",
    "Protocol",
    "QuantityError",
    "Record",
    "Sample",
    "Seconds",
    "Status",
    "StopReason",
    "ThroughputCell",
    "ThroughputFigures",
    "ThroughputRecord",
    "TimeSpent",
    "TimedSample",
    "TrainingCell",
    "TrainingFigures",
    "TrainingRecord",
    "TrainingStep",
    "Verdict",
    "differing",
    "digest",
    "flat",
    "from_plain",
    "plain_fields",
    "published",
    "record_from_plain",
    "record_to_plain",
    "to_json",
    "to_plain",
]
