"""Records made up for tests of what stores, moves and judges them."""

from __future__ import annotations

from dataclasses import replace

from harness.records import (
    CaseCell,
    CaseFigures,
    CaseRecord,
    Identity,
    Protocol,
    Seconds,
    Status,
    ThroughputCell,
    ThroughputFigures,
    ThroughputRecord,
    TimedSample,
)
from implementations.interface import Phase, Problem

WHEN = "2026-01-01T00:00:00+00:00"
CELL = ThroughputCell(
    problem=Problem((4, 3, 5, 5)),
    phase=Phase.BACKWARD,
    face="layer",
    outputs="fresh",
    cache="warm",
    device="cpu",
    threads=1,
    allocator="retaining",
    wait_policy="brief",
    seed=0,
    baseline="torch_native",
    margin=0.03,
    alpha=0.05,
    protocol=Protocol(version=2, launches=8, blocks=5),
)
FIGURES = ThroughputFigures(median_seconds=Seconds(0.5))


def identity(name="numpy", source="source", environment="machine", **changes):
    return Identity(name, replace(CELL, **changes), source, environment)


def throughput_record(name="numpy", status=Status.OK, session="s", figures=FIGURES, **changes):
    """A record of a cell with these ``changes``; its figures are absent unless it is OK."""
    ok = status is Status.OK
    return ThroughputRecord(
        identity(name, **changes),
        session,
        WHEN,
        status,
        reason=None if ok else "because",
        figures=figures if ok else None,
        samples=(TimedSample(launch=0, block=0, calls=1, seconds=Seconds(0.5)),),
    )


def case_record(name="numpy", case="phases/inference", status=Status.OK, session="s", **fields):
    ok = status is Status.OK
    figures = CaseFigures(worst=0.5, quantity="output", index=(0,), ulp=1.0, comparisons=1)
    made = CaseRecord(
        Identity(name, CaseCell(case=case, device="cpu", threads=1), "source", "machine"),
        session,
        WHEN,
        status,
        reason=None if ok else "because",
        figures=figures if ok else None,
    )
    return replace(made, **fields)
