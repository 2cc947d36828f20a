"""One cell, measured: launches in turn, in each of them all arms prepared, checked, warmed up and
sampled in blocks.

An arm that falls costs its own result only. Where its process died with it, or it fell in
mid-sample, the cell begins again without it, since blocks that lack an arm's neighbours are no
longer blocks.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

from harness import statistics
from harness.timing import schedule
from harness.timing.blocks import take_blocks
from harness.timing.launch import Launch, NotOK
from harness.timing.launch_pool import Pool
from harness.timing.schedule import WarmedUp
from harness.timing.time_budget import Spent
from implementations.registry import Specification

LEAST_LAUNCHES = 2
LARGEST_ITEM = 8  # bytes of a float64
# what a saved graph keeps beyond the shared input: the output, and a mask or a normalized copy
GRAPH_ARRAYS = 2
# arms of the least traffic, by their stores
FLOORS = {"floor/ordinary": "ordinary", "floor/streaming": "streaming"}


@dataclass(frozen=True)
class Protocol:
    """How a cell is sampled. Seconds, but for counts. ``launches`` are the pilot's, which decides
    how many follow.
    """

    launches: int
    most_launches: int
    blocks: int
    sample_seconds: float
    cell_seconds: float
    alpha: float
    margin: float


@dataclass
class Measured:
    """What came of a cell: by arm its samples, costs (an entry a launch) and memory; the fallen;
    why sampling ended.
    """

    samples: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    costs: dict[str, list[dict[str, float]]] = field(default_factory=dict)
    memory: dict[str, dict[str, int | None]] = field(default_factory=dict)
    steady: dict[str, list[bool]] = field(default_factory=dict)
    blocks: list[dict[str, Any]] = field(default_factory=list)
    floor_bytes: int | None = None
    fallen: dict[str, NotOK] = field(default_factory=dict)
    stopped: str = ""
    spent: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Work:
    """What is measured: ``cell`` is what `bench.open_cell` takes, ``arms`` include the baseline and
    the canary.
    """

    cell: Mapping[str, Any]
    arms: Mapping[str, Specification]
    baseline: str
    canary: str
    protocol: Protocol


def measure_cell(pool: Pool, work: Work, announce: Callable[[str], None]) -> Measured:
    """Measure all arms side by side."""
    fallen: dict[str, NotOK] = {}
    spent = Spent()
    while True:
        try:
            measured = _attempt(pool, work, fallen, spent, announce)
        except NotOK as arm:
            fallen[arm.arm] = arm
        else:
            measured.spent = spent.figures()
            return measured


def _attempt(
    pool: Pool,
    work: Work,
    fallen: dict[str, NotOK],
    spent: Spent,
    announce: Callable[[str], None],
) -> Measured:
    measured, protocol = Measured(fallen=fallen, stopped="launches"), work.protocol
    began, index, wanted = spent.elapsed, 0, protocol.launches
    while index < wanted:
        if index >= LEAST_LAUNCHES and spent.elapsed - began > protocol.cell_seconds:
            measured.stopped = "budget"
            return measured
        announce(f"launch {index + 1} of {wanted}")
        _launch(pool[index], index, work, measured, spent)
        index += 1
        if index == protocol.launches:
            wanted = min(
                launches_wanted(work, measured), max(protocol.most_launches, protocol.launches)
            )
            measured.stopped = "precision" if wanted < protocol.most_launches else "launches"
    return measured


def launches_wanted(work: Work, measured: Measured) -> int:
    """How many launches give every arm's ratio the precision that a verdict takes, by the
    pilot's.
    """
    wanted = [work.protocol.launches]
    for arm in (
        measured.samples.keys() - {work.baseline, work.canary, *FLOORS} - measured.fallen.keys()
    ):
        if (
            work.baseline in measured.samples
            and work.protocol.launches >= statistics.LEAST_LAUNCHES
        ):
            ratios = statistics.log_ratios(measured.samples, arm, work.baseline)
            wanted.append(
                statistics.launches_wanted(ratios, work.protocol.alpha, work.protocol.margin)
            )
    return max(wanted)


def _launch(launch: Launch, index: int, work: Work, measured: Measured, spent: Spent) -> None:
    starting = launch.starting
    launch.lay_out(work.cell)
    ready = _stand(launch, index, work, measured, spent)
    spent.add("starting", launch.starting - starting)
    warmed = {arm: _warm_up(launch, arm, work, measured, spent) for arm in ready}
    if warmed:
        _sample(launch, index, warmed, work, measured, spent)
    # of a large problem it takes as long as the blocks do
    if index in {0, work.protocol.launches - 1}:
        _audit(launch, warmed, measured, spent)
    launch.clear()


def _stand(launch: Launch, index: int, work: Work, measured: Measured, spent: Spent) -> list[str]:
    """The arms that stand: prepared, checked and, in the first launch, their memory measured; then
    the floors.
    """
    ready = []
    for arm, specification in work.arms.items():
        if arm in measured.fallen:
            continue
        try:
            cost = launch.prepare(arm, specification)
            spent.add(
                "preparing",
                sum(seconds for name, seconds in cost.items() if name != "compile_seconds"),
            )
            with spent.on("checking"):
                cost["check_seconds"] = launch.verify(arm, whole=index == 0)
                if index == 0:
                    measured.memory[arm] = launch.measure_memory(arm)
        except NotOK as out:
            _fall(out, measured)
            continue
        measured.costs.setdefault(arm, []).append(cost)
        ready.append(arm)
    return ready + _floors(launch, measured)


def _floors(launch: Launch, measured: Measured) -> list[str]:
    ready = []
    for arm, stores in FLOORS.items():
        if arm in measured.fallen:
            continue
        try:
            measured.floor_bytes = launch.prepare_floor(arm, stores)
        except NotOK as out:
            _fall(out, measured)
            continue
        ready.append(arm)
    return ready


def _fall(out: NotOK, measured: Measured) -> None:
    """Note that an arm is out. Raises it again where its process went with it."""
    if out.died:
        raise out
    measured.fallen[out.arm] = out


def _warm_up(launch: Launch, arm: str, work: Work, measured: Measured, spent: Spent) -> WarmedUp:
    with spent.on("untimed"):
        warmed = schedule.warm_up(launch, arm, work.protocol.sample_seconds, _most_calls(work.cell))
    measured.steady.setdefault(arm, []).append(warmed.steady)
    if arm in measured.costs:
        measured.costs[arm][-1]["warm_up_seconds"] = sum(warmed.groups) * warmed.calls
    return warmed


def _sample(
    launch: Launch,
    index: int,
    warmed: Mapping[str, WarmedUp],
    work: Work,
    measured: Measured,
    spent: Spent,
) -> None:
    order = random.Random(f"{work.cell['seed']}/{index}")
    calls = {arm: state.calls for arm, state in warmed.items()}
    for block in take_blocks(launch, calls, work.protocol.blocks, order, _most_calls(work.cell)):
        spent.on_calls(sample.taken for sample in block.samples)
        measured.blocks.append(block.about(index))
        for arm, sample in block.plain(index):
            measured.samples.setdefault(arm, []).append(sample)


def _audit(
    launch: Launch, warmed: Mapping[str, WarmedUp], measured: Measured, spent: Spent
) -> None:
    """See whether the arms still work. One that does not is out, with its samples; those beside it
    were not disturbed.
    """
    with spent.on("checking"):
        for arm in sorted(warmed.keys() - FLOORS.keys()):
            try:
                launch.audit(arm, warmed[arm].calls)
            except NotOK as out:
                _fall(out, measured)
                del measured.samples[arm]


def _most_calls(cell: Mapping[str, Any]) -> int:
    keeps_graphs = cell["face"] == "layer" and cell["phase"].startswith("backward")
    return schedule.most_calls(
        prod(cell["problem"]["shape"]) * LARGEST_ITEM * GRAPH_ARRAYS if keeps_graphs else 0
    )
