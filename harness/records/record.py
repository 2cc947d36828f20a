"""Frozen records: what became of one implementation in one cell.

Schema history. 1: first version. 2: ``explanation``, and the flag MISTRUSTED. 3: throughput tells
of floor, memory, clocks, conditions and time spent, and each sample whether its block was set
aside; later also of ``accuracy``, with a bound in the cell and the flag INACCURATE, and of the
instruction sets in use in an arm's process, all of which have defaults, and an identity's ``arm``,
absent where the arm is an implementation of this environment under its own name. ``stopped`` may be
"interrupted".
"""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass, field
from functools import cached_property
from typing import Generic, TypeVar, final

from harness.records.arm_setting import ArmSetting
from harness.records.cells import CaseCell, Cell, ThroughputCell, TrainingCell
from harness.records.figures import CaseFigures, Figures, ThroughputFigures, TrainingFigures
from harness.records.plain_data import OMIT_NONE, digest
from harness.records.samples import ComparedQuantity, Cost, Sample, TimedSample, TrainingStep
from harness.records.statuses import Flag, Status

SCHEMA = 3
CANARY = "canary"  # the baseline's second name: their ratio is the cell's noise

CellT_co = TypeVar("CellT_co", bound=Cell, covariant=True)
FiguresT_co = TypeVar("FiguresT_co", bound=Figures, covariant=True)
SampleT_co = TypeVar("SampleT_co", bound=Sample, covariant=True)


@dataclass(frozen=True)
class Identity(Generic[CellT_co]):
    """What makes a record what it is. Two records with one key are the same measurement.

    ``implementation`` is the arm's name: its label, where it has one. ``source`` hashes the
    implementation's version, source and binary, as they are where the arm runs; ``environment`` the
    stable part of the machine and its software; ``arm`` says what a labelled arm stands for, or
    where else it runs.
    """

    implementation: str
    cell: CellT_co
    source: str
    environment: str
    arm: ArmSetting | None = field(default=None, metadata=OMIT_NONE)

    @property
    def task(self) -> str:
        return self.cell.TASK

    @cached_property
    def cell_key(self) -> str:
        """What all arms of a cell share; of a record that was read, that of the data on disk."""
        return digest({"task": self.task, "cell": self.cell, "environment": self.environment})

    @cached_property
    def key(self) -> str:
        arm = {"implementation": self.implementation, "source": self.source}
        setting = {} if self.arm is None else {"arm": self.arm}
        return digest({"cell": self.cell_key, **arm, **setting})


@dataclass(frozen=True)
class Record(ABC, Generic[CellT_co, FiguresT_co, SampleT_co]):
    """One result. ``figures`` are present if and only if the status is OK.

    ``samples`` are the raw observations that the figures derive from. ``explanation`` is of a WRONG
    that is declared: a known property of that implementation, with its source. ``time`` is when
    the record was made, in ISO 8601 and UTC.
    """

    identity: Identity[CellT_co]
    session: str
    time: str
    status: Status
    reason: str | None = None
    flags: tuple[Flag, ...] = ()
    figures: FiguresT_co | None = None
    samples: tuple[SampleT_co, ...] = ()
    cost: Cost = Cost()
    explanation: str | None = None
    schema: int = SCHEMA

    def __post_init__(self) -> None:
        if (self.status is Status.OK) != (self.figures is not None):
            raise ValueError(
                f"a record with status {self.status} "
                f"{'needs' if self.figures is None else 'has no'} figures"
            )
        if self.status is not Status.OK and not self.reason:
            raise ValueError(f"a record with status {self.status} needs a reason")
        if self.explanation is not None and self.status is not Status.WRONG:
            raise ValueError(f"a record with status {self.status} has nothing to explain")

    @property
    def key(self) -> str:
        return self.identity.key

    @property
    def failed(self) -> bool:
        """Whether the implementation is to blame, for something that is not declared of it."""
        return self.status.failed and self.explanation is None

    @property
    def implementation(self) -> str:
        return self.identity.implementation

    @property
    def cell(self) -> CellT_co:
        return self.identity.cell

    @property
    def task(self) -> str:
        return self.identity.task


@final
@dataclass(frozen=True)
class ThroughputRecord(Record[ThroughputCell, ThroughputFigures, TimedSample]):
    """How fast one arm of a cell was."""


@final
@dataclass(frozen=True)
class TrainingRecord(Record[TrainingCell, TrainingFigures, TrainingStep]):
    """How one arm trained from one seed."""


@final
@dataclass(frozen=True)
class CaseRecord(Record[CaseCell, CaseFigures, ComparedQuantity]):
    """Whether one implementation passed one conformance case."""


AnyRecord = ThroughputRecord | TrainingRecord | CaseRecord
AnyIdentity = Identity[ThroughputCell] | Identity[TrainingCell] | Identity[CaseCell]
