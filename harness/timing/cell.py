"""One cell, measured: launches in turn, in each of them all arms prepared, checked, calibrated and sampled in blocks.

An arm that falls costs its own result only. Where its process died with it, or it fell in mid-sample, the cell begins
again without it, since blocks that lack an arm's neighbours are no longer blocks.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any, Self

from harness.isolation import Settings
from harness.timing.launch import Launch, NotOK
from harness.timing.sampler import Sample, calibrate, interleave, most_calls
from implementations.registry import Specification

LEAST_LAUNCHES = 2
LARGEST_ITEM = 8  # bytes of a float64
GRAPH_ARRAYS = 2  # what a saved graph keeps beyond the shared input: the output, and a mask or a normalized copy


@dataclass(frozen=True)
class Protocol:
    """How a cell is sampled. Seconds, but for counts."""

    launches: int
    blocks: int
    sample_seconds: float
    cell_seconds: float


@dataclass
class Measured:
    """What came of a cell: samples and costs by arm, one entry of cost a launch; the fallen; why sampling ended."""

    samples: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    costs: dict[str, list[dict[str, float]]] = field(default_factory=dict)
    fallen: dict[str, NotOK] = field(default_factory=dict)
    stopped: str = ""


class Pool:
    """The launches, kept alive from cell to cell."""

    def __init__(self, settings: Settings, timeout: float) -> None:
        self._settings, self._timeout = settings, timeout
        self._launches: list[Launch] = []

    def __getitem__(self, index: int) -> Launch:
        while len(self._launches) <= index:
            self._launches.append(Launch(self._settings, self._timeout))
        return self._launches[index]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for launch in self._launches:
            launch.close()


def measure_cell(
    pool: Pool, cell: Mapping[str, Any], arms: Mapping[str, Specification], protocol: Protocol,
    announce: Callable[[str], None],
) -> Measured:
    """Measure ``arms`` side by side. ``cell`` is what `bench.open_cell` takes."""
    fallen: dict[str, NotOK] = {}
    while True:
        standing = {arm: specification for arm, specification in arms.items() if arm not in fallen}
        try:
            return _attempt(pool, cell, standing, protocol, fallen, announce)
        except NotOK as arm:
            fallen[arm.arm] = arm


def _attempt(
    pool: Pool, cell: Mapping[str, Any], arms: Mapping[str, Specification], protocol: Protocol,
    fallen: dict[str, NotOK], announce: Callable[[str], None],
) -> Measured:
    measured = Measured({arm: [] for arm in arms}, {arm: [] for arm in arms}, fallen, "launches")
    began = time.monotonic()
    for index in range(protocol.launches):
        if index >= LEAST_LAUNCHES and time.monotonic() - began > protocol.cell_seconds:
            measured.stopped = "budget"
            break
        announce(f"launch {index + 1} of {protocol.launches}")
        launch = pool[index]
        launch.lay_out(cell)
        standing = {arm: cost for arm, specification in arms.items() if arm not in fallen
                    and (cost := _stand(launch, arm, specification, fallen, whole=index == 0)) is not None}
        for sample in _sample(launch, cell, standing, protocol, random.Random(f"{cell['seed']}/{index}")):
            measured.samples[sample.arm].append(
                {"launch": index, "block": sample.block, "calls": sample.calls, "seconds": sample.seconds})
        for arm, cost in standing.items():
            measured.costs[arm].append(cost)
        launch.clear()
    return measured


def _stand(
    launch: Launch, arm: str, specification: Specification, fallen: dict[str, NotOK], *, whole: bool,
) -> dict[str, float] | None:
    """Prepare and check one arm; what that cost, or None where it fell. Raises ``NotOK`` where its process died."""
    try:
        cost = launch.prepare(arm, specification)
        return {**cost, "check_seconds": launch.verify(arm, whole=whole)}
    except NotOK as out:
        if out.died:
            raise
        fallen[arm] = out
        return None


def _sample(
    launch: Launch, cell: Mapping[str, Any], arms: Mapping[str, object], protocol: Protocol, order: random.Random,
) -> list[Sample]:
    keeps_graphs = cell["face"] == "layer" and cell["phase"].startswith("backward")
    kept = prod(cell["problem"]["shape"]) * LARGEST_ITEM * GRAPH_ARRAYS if keeps_graphs else 0
    calls = {arm: calibrate(launch, arm, protocol.sample_seconds, most_calls(kept)) for arm in arms}
    return interleave(launch, calls, protocol.blocks, order)
