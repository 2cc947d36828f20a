"""How much the baseline differs from itself when it runs twice, under two names, in real launches
of a real cell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain

from harness import statistics
from harness.bandwidth import cache_bytes
from harness.bandwidth.traffic import BITS
from harness.config import Config, ThroughputConfig
from harness.doctor.power_planning import SamplingCost, SamplingPlan, best_plan
from harness.environment import machine
from harness.isolation import Arm, WorkerSettings
from harness.records import CANARY, Doubt, Interval, Protocol, Seconds, TimedSample
from harness.statistics import Components, block_log_ratios
from harness.timing.cell_progress import CellProgress
from harness.timing.cell_spec import CellMeasurement, CellSpec
from harness.timing.launch_pool import LaunchPool
from harness.timing.messages import CellSetup
from harness.timing.time_budget import TimeBudget
from implementations.interface import Phase, Problem

TIMES = (10.0, 60.0, 600.0)  # seconds that a comparison may take
ARRAYS = 4  # of the input's size in a training step: the input, the output, and their gradients
MOST_BATCH = 256
# Ioffe and Szegedy 2015, section 4.1: a call is mostly overhead
SMALL = Problem((64, 100), activation="relu")
CACHED = Problem((8, 256, 14, 14), activation="relu")  # of ResNet-50: 6 MB in all


@dataclass(frozen=True)
class Noise:
    """The noise of one problem. Times are in seconds, ``bytes`` those of its arrays.

    ``ratio`` is of the same code to itself. ``blocks`` are those that count, ``doubts`` how many of
    ``all_blocks`` were disturbed, by cause. ``findable`` maps `TIMES` to the best plan where each
    launch starts a process, ``findable_running`` where they run already, as they do from a run's
    second cell on; None where the time is too short. A few far outliers make ``components`` large,
    while a launch's median over blocks ignores them: then smaller effects are found than planned.
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
    doubts: Mapping[Doubt, int]
    cost: SamplingCost
    findable: Mapping[float, SamplingPlan | None]
    findable_running: Mapping[float, SamplingPlan | None]


def situations(threads: int) -> dict[str, Problem]:
    """One problem for each thing that bounds a speed: calls, caches, memory. The last one is twice
    as large as this machine's caches.
    """
    beyond, batch = cache_bytes(machine.processor(), threads), 8
    while ARRAYS * array_bytes(_images(batch)) < 2 * beyond and batch < MOST_BATCH:
        batch *= 2
    return {"small call": SMALL, "in cache": CACHED, "beyond cache": _images(batch)}


def measure_noise(
    pool: LaunchPool,
    name: str,
    problem: Problem,
    settings: WorkerSettings,
    launches: int,
    seconds: float,
    start: float | None,
    announce: Callable[[str], None],
) -> Noise:
    """Up to ``launches`` launches, none begun after ``seconds`` once two are done.

    ``start`` is the cost of starting a launch where the pool has them running already, else None.
    Raises ``ArmFailed`` where the baseline fails.
    """
    spec = training_step(problem, settings, launches, seconds)
    cell = CellProgress(name, spec)
    cell.measure_pilot(pool, TimeBudget(seconds), seconds, lambda text: announce(f"{name}: {text}"))
    measured = cell.finish()
    for failure in measured.failures.values():
        raise failure
    return noise(name, problem, spec, measured, start)


def noise(
    name: str, problem: Problem, spec: CellSpec, measured: CellMeasurement, start: float | None
) -> Noise:
    """The noise that the samples of the baseline and its canary show."""
    alpha, margin = spec.alpha, spec.margin
    by_launch = block_log_ratios(measured.samples, CANARY, spec.baseline)
    components = statistics.variance_components(by_launch)
    cost = cost_of(spec.baseline, measured, len(by_launch), start)
    running = SamplingCost(0.0, cost.launch, cost.block)
    return Noise(
        name=name,
        shape=problem.shape,
        bytes=ARRAYS * array_bytes(problem),
        seconds=statistics.median_seconds(measured.samples[spec.baseline]),
        components=components,
        ratio=statistics.interval(
            statistics.log_ratios(measured.samples, CANARY, spec.baseline), alpha
        ),
        launches=len(by_launch),
        blocks=sum(map(len, by_launch)),
        all_blocks=len(measured.blocks),
        doubts=dict(Counter(chain.from_iterable(block.doubts for block in measured.blocks))),
        cost=cost,
        findable={time: best_plan(components, cost, time, alpha, margin) for time in TIMES},
        findable_running={
            time: best_plan(components, running, time, alpha, margin) for time in TIMES
        },
    )


def training_step(
    problem: Problem, settings: WorkerSettings, launches: int, seconds: float
) -> CellSpec:
    """A training step as a throughput task measures it by default, with the baseline and its canary
    as the only arms.
    """
    task, baseline = ThroughputConfig(), Config.baseline
    setup = CellSetup(
        problem,
        Phase.TRAINING_STEP,
        face="layer",
        outputs=task.outputs,
        device=settings.device,
        seed=Config.seed,
        inputs=task.inputs,
    )
    protocol = Protocol(
        version=0,  # of a record, and none is made here
        launches=launches,
        most_launches=launches,
        blocks=task.blocks,
        sample_seconds=Seconds(task.sample_seconds),
        cell_seconds=Seconds(seconds),
    )
    arms = dict.fromkeys((baseline, CANARY), Arm(baseline))
    return CellSpec(setup, arms, baseline, CANARY, protocol, Config.alpha, Config.margin)


def cost_of(
    baseline: str, measured: CellMeasurement, launches: int, start: float | None
) -> SamplingCost:
    """The cost of a comparison of the baseline, its canary, the floors, and one more arm that is
    like the baseline.
    """
    spent, blocks = measured.spent, len(measured.blocks)
    in_blocks = sum(map(_seconds, chain.from_iterable(measured.samples.values())))
    one_more = sum(map(_seconds, measured.samples[baseline]))
    around = (spent.wall - spent.starting - in_blocks) / launches
    return SamplingCost(
        spent.starting / launches if start is None else start,
        around * 3 / 2,  # three arms are prepared in the place of two
        (in_blocks + one_more) / blocks,
    )


def array_bytes(problem: Problem) -> int:
    return problem.size * BITS[problem.dtype] // 8


def _seconds(sample: TimedSample) -> float:
    return sample.seconds + sample.untimed


def _images(batch: int) -> Problem:
    """The largest images of ResNet-50 after its first layer; 26 MB at a batch of 32."""
    return Problem((batch, 64, 56, 56), activation="relu")
