"""How much the baseline differs from itself: it runs twice, under two names, in real launches of a
real cell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from harness import statistics
from harness.bandwidth import cache_bytes
from harness.bandwidth.traffic import BITS
from harness.config import Config, ThroughputConfig
from harness.doctor.power_planning import Cost, Plan, best_plan
from harness.environment import machine
from harness.isolation import Settings
from harness.records import CANARY, Interval
from harness.statistics import Components, block_log_ratios
from harness.timing.cell import Measured, Protocol, Work, measure_cell
from harness.timing.launch_pool import Pool
from implementations.interface import Phase, Problem

TIMES = (10.0, 60.0, 600.0)  # seconds that a comparison may take
ARRAYS = 4  # of the input's size in a training step: the input, the output, and their gradients
MOST_BATCH = 256
# Ioffe and Szegedy 2015, section 4.1: a call is mostly overhead
SMALL = Problem((64, 100), activation="relu")
CACHED = Problem((8, 256, 14, 14), activation="relu")  # of ResNet-50: 6 MB in all


@dataclass(frozen=True)
class Noise:
    """The noise of one problem. Seconds, and relative differences.

    ``ratio`` is of the same code to itself. A few far outliers make ``components`` large, while a
    launch's median over blocks passes them by: with those, what is findable is smaller than said.
    ``blocks`` are those that count, ``doubts`` how many of ``all_blocks`` were disturbed by what.
    ``findable`` starts a process for each launch, ``findable_running`` finds them running, as they
    are from the second cell of a run on; None where the time does not suffice.
    """

    name: str
    shape: tuple[int, ...]
    bytes: int
    seconds: float
    components: Components
    ratio: Interval
    launches: int
    blocks: int
    all_blocks: int
    doubts: Mapping[str, int]
    cost: Cost
    findable: Mapping[float, Plan | None]
    findable_running: Mapping[float, Plan | None]


def situations(threads: int) -> dict[str, Problem]:
    """The problems that matter, by what bounds them; the last one outgrows this machine's caches by
    half of itself.
    """
    beyond, batch = cache_bytes(machine.processor(), threads), 8
    while ARRAYS * array_bytes(_images(batch)) < 2 * beyond and batch < MOST_BATCH:
        batch *= 2
    return {"small call": SMALL, "in cache": CACHED, "beyond cache": _images(batch)}


def measure_noise(
    pool: Pool,
    name: str,
    problem: Problem,
    settings: Settings,
    launches: int,
    seconds: float,
    start: float | None,
    announce: Callable[[str], None],
) -> Noise:
    """Up to ``launches`` launches, none begun after ``seconds`` once two are done.

    ``start`` is what starting a launch costs where the pool has them running, None where it has
    not. Raises ``NotOK`` where the baseline falls.
    """
    work = work_on(problem, settings, launches, seconds)
    measured = measure_cell(pool, work, lambda said: announce(f"{name}: {said}"))
    for out in (measured.fallen.get(arm) for arm in work.arms):
        if out is not None:
            raise out
    return noise(name, problem, work, measured, start)


def noise(
    name: str, problem: Problem, work: Work, measured: Measured, start: float | None
) -> Noise:
    """What the samples of a cell of the baseline and its double say."""
    alpha, margin = work.protocol.alpha, work.protocol.margin
    by_launch = block_log_ratios(measured.samples, CANARY, work.baseline)
    components = statistics.variance_components(by_launch)
    cost = cost_of(work.baseline, measured, len(by_launch), start)
    running = Cost(0.0, cost.launch, cost.block)
    return Noise(
        name,
        problem.shape,
        ARRAYS * array_bytes(problem),
        statistics.median_seconds(measured.samples[work.baseline]),
        components,
        statistics.interval(statistics.log_ratios(measured.samples, CANARY, work.baseline), alpha),
        len(by_launch),
        sum(map(len, by_launch)),
        len(measured.blocks),
        dict(Counter(doubt for block in measured.blocks for doubt in block["doubts"])),
        cost,
        {time: best_plan(components, cost, time, alpha, margin) for time in TIMES},
        {time: best_plan(components, running, time, alpha, margin) for time in TIMES},
    )


def work_on(problem: Problem, settings: Settings, launches: int, seconds: float) -> Work:
    """The cell of a training step as a throughput task measures it by default, with the baseline
    and its double alone.
    """
    task, baseline = ThroughputConfig(), Config.baseline
    cell = {
        "problem": {**asdict(problem), "shape": list(problem.shape)},
        "phase": Phase.TRAINING_STEP.value,
        "face": "layer",
        "outputs": task.outputs,
        "seed": Config.seed,
        "device": settings.device,
        "inputs": task.inputs,
        "sets": 1,
    }
    protocol = Protocol(
        launches, launches, task.blocks, task.sample_seconds, seconds, Config.alpha, Config.margin
    )
    return Work(cell, dict.fromkeys((baseline, CANARY), baseline), baseline, CANARY, protocol)


def cost_of(baseline: str, measured: Measured, launches: int, start: float | None) -> Cost:
    """What a comparison would cost here: of the baseline, its double, the floors, and one more arm
    like the baseline.
    """
    spent, blocks = measured.spent, len(measured.blocks)
    starting = spent.get("starting", 0.0)
    in_blocks = sum(
        map(_seconds, (sample for samples in measured.samples.values() for sample in samples))
    )
    one_more = sum(map(_seconds, measured.samples[baseline]))
    around = (spent["wall"] - starting - in_blocks) / launches
    return Cost(
        starting / launches if start is None else start,
        around * 3 / 2,
        (in_blocks + one_more) / blocks,
    )


def array_bytes(problem: Problem) -> int:
    return problem.size * BITS[problem.dtype] // 8


def _seconds(sample: Mapping[str, Any]) -> float:
    return float(sample["seconds"] + sample["untimed"])


def _images(batch: int) -> Problem:
    """ResNet-50's largest images but for the first layer's, of which a batch of 32 has 26 MB."""
    return Problem((batch, 64, 56, 56), activation="relu")
