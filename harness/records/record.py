"""Frozen records: what became of one implementation in one cell.

Schema history. 1: first version. 2: ``explanation``, and the flag MISTRUSTED. 3: throughput tells
of floor, memory, clocks, conditions and time spent, and each sample whether its block was set
aside.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self

SCHEMA = 3
CANARY = "canary"  # the baseline's second name: their ratio is the cell's noise


class NewerSchemaError(ValueError):
    """A record was written by a later version of the program, and would be misread."""


class Status(StrEnum):
    """What became of a measurement. Only OK carries figures."""

    OK = "OK"
    WRONG = "WRONG"
    UNSUPPORTED = "UNSUPPORTED"
    UNAVAILABLE = "UNAVAILABLE"
    CRASHED = "CRASHED"
    TIMEOUT = "TIMEOUT"

    @property
    def failed(self) -> bool:
        """Whether the implementation is to blame. A refusal, or a machine that lacks something, is
        no failure.
        """
        return self in (Status.WRONG, Status.CRASHED, Status.TIMEOUT)


class Flag(StrEnum):
    """A doubt about an OK record. It forbids a verdict, not a number."""

    DISTURBED = "DISTURBED"
    UNSTEADY = "UNSTEADY"
    IMPLAUSIBLE = "IMPLAUSIBLE"
    CLOCKS_DISAGREE = "CLOCKS_DISAGREE"
    MISTRUSTED = "MISTRUSTED"  # the comparison was made, and cancellation lets it tell too little


class Verdict(StrEnum):
    """What an interval says about a ratio of times, given a practical margin."""

    FASTER = "FASTER"
    SLOWER = "SLOWER"
    SAME = "SAME"
    AMBIGUOUS = "AMBIGUOUS"


@dataclass(frozen=True)
class Interval:
    """An estimate and the confidence interval around it."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class Identity:
    """What makes a record what it is. Two records with one key are the same measurement.

    ``cell`` is plain data: all that defines the cell, the baseline and the protocol's version among
    it. ``source`` hashes the implementation's version, source and binary; ``environment`` the
    stable part of the machine.
    """

    task: str
    implementation: str
    cell: Mapping[str, Any]
    source: str
    environment: str

    @property
    def cell_key(self) -> str:
        return digest({"task": self.task, "cell": self.cell, "environment": self.environment})

    @property
    def key(self) -> str:
        return digest(
            {"cell": self.cell_key, "implementation": self.implementation, "source": self.source}
        )


@dataclass(frozen=True)
class Record:
    """One result. ``figures`` (present if and only if the status is OK) and ``samples`` are plain
    data.

    ``samples`` are the raw observations that the figures derive from: for ``throughput`` a list of
    ``{launch, block, calls, set_aside, retaken, doubts}`` and what `timing.taken` has, for
    ``convergence`` curves by step, for ``conformance`` what was found of each quantity, whether it
    passed or not: ``{quantity, passed, ratio, index, got, expected, ulp, fault, mistrusted}``,
    where numbers that are not finite are None. ``explanation`` is of a WRONG that is documented: a
    known property of that implementation, with its source. ``cost`` tells what is not the
    measurement: seconds of preparation, first call and checking.
    """

    identity: Identity
    session: str
    time: str
    status: Status
    reason: str | None = None
    flags: tuple[Flag, ...] = ()
    figures: Mapping[str, Any] | None = None
    samples: list[dict[str, Any]] = field(default_factory=list)
    cost: Mapping[str, float] = field(default_factory=dict)
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
        """Whether the implementation is to blame, and for something that is not documented of
        it.
        """
        return self.status.failed and self.explanation is None

    @property
    def implementation(self) -> str:
        return self.identity.implementation

    @property
    def cell(self) -> Mapping[str, Any]:
        return self.identity.cell

    @property
    def task(self) -> str:
        return self.identity.task

    def to_json(self) -> str:
        """One line of JSON. NaN and infinity are refused: a failure never becomes a number."""
        return json.dumps(asdict(self), allow_nan=False, sort_keys=True)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """The record that ``to_json`` wrote, read back. Raises ``NewerSchemaError``."""
        if data["schema"] > SCHEMA:
            raise NewerSchemaError(
                f"record schema {data['schema']} is newer than {SCHEMA}, which this bnbench reads; "
                "upgrade it"
            )
        return cls(
            **{
                **data,
                "identity": Identity(**data["identity"]),
                "status": Status(data["status"]),
                "flags": tuple(Flag(flag) for flag in data["flags"]),
            }
        )


def digest(data: Any) -> str:
    """A short stable hash of plain data: 16 hexadecimal digits of SHA-256 over canonical JSON."""
    return hashlib.sha256(json.dumps(data, sort_keys=True, allow_nan=False).encode()).hexdigest()[
        :16
    ]


def flat(data: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """``{"ratio": {"low": 1}}`` as ``{"ratio.low": 1}``. Lists are values, not levels."""
    pairs: dict[str, Any] = {}
    for key, value in data.items():
        pairs |= (
            flat(value, f"{prefix}{key}.")
            if isinstance(value, Mapping)
            else {f"{prefix}{key}": value}
        )
    return pairs


def differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Where two mappings, nested or not, differ: dotted name to the values before and after, None
    where absent.
    """
    one, other = flat(before), flat(after)
    return {
        name: (one.get(name), other.get(name))
        for name in sorted(one.keys() | other.keys())
        if one.get(name) != other.get(name)
    }
