"""How fast: every implementation side by side in each cell, with its ratio to the baseline and a verdict."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from itertools import groupby, product
from statistics import median
from typing import Any

from harness import statistics
from harness.arms import arms_of
from harness.config import Config, ThroughputConfig, UsageError
from harness.environment import Environment
from harness.isolation.lease import device_lease
from harness.problems import problems
from harness.records import Flag, Identity, Record, Status, Verdict
from harness.tasks import worker_settings
from harness.timing.cell import Measured, Pool, Protocol, measure_cell
from implementations import registry
from implementations.interface import Phase

VERSION = 1  # of the protocol: raise it when what a number means changes
CANARY = "canary"


def plan(config: Config, environment: Environment) -> list[Identity]:
    """One identity for each implementation, and the canary, in each cell."""
    sources = {arm: registry.source_hash(specification) for arm, specification in _arms(config).items()}
    return [
        Identity("throughput", arm, cell, source, environment.fingerprint)
        for cell in _cells(config)
        for arm, source in sources.items()
    ]


def measure(
    config: Config, todo: list[Identity], session: str, announce: Callable[[str], None],
) -> Generator[Record]:
    """Measure cell by cell. What is settled already is measured beside the rest only if it is the baseline."""
    task = _task(config)
    arms, device = _arms(config), config.device
    protocol = Protocol(task.launches, task.blocks, task.sample_seconds, task.cell_seconds)
    with Pool(worker_settings(config), task.timeout) as pool:
        for _, group in groupby(todo, key=lambda identity: identity.cell_key):
            wanted = list(group)
            cell, names = wanted[0].cell, {identity.implementation for identity in wanted}
            here = {arm: arms[arm] for arm in arms if arm in names | {config.baseline, CANARY}}
            bench = {key: cell[key] for key in ("problem", "phase", "face", "outputs", "seed", "device")}
            where = f"{cell['phase']} {'×'.join(map(str, cell['problem']['shape']))}"
            with device_lease(device.name):
                measured = measure_cell(pool, bench, here, protocol, partial(_announce, announce, where))
            for identity in wanted:
                yield _record(identity, measured, session)


def _announce(announce: Callable[[str], None], where: str, text: str) -> None:
    announce(f"{where}: {text}")


def _task(config: Config) -> ThroughputConfig:
    if not isinstance(config.task, ThroughputConfig):
        raise TypeError(f"the throughput task was given a {type(config.task).__name__}")
    return config.task


def _arms(config: Config) -> dict[str, registry.Specification]:
    """The implementations, the baseline among them whether listed or not, and the baseline again as the canary."""
    arms = arms_of(config)
    return {**arms, CANARY: arms[config.baseline]}


def _cells(config: Config) -> Iterator[dict[str, Any]]:
    task, settings = _task(config), worker_settings(config)
    for problem, face, phase in product(problems(config.problem), task.faces, task.phases):
        if Phase(phase).training and problem.reduction == 1:
            raise UsageError(f"{problem} has one value a channel, and {phase} needs more; allowed there: "
                             "task.phases=[inference,backward_inference]")
        yield {
            "problem": {**asdict(problem), "shape": list(problem.shape)},
            "phase": phase, "face": face, "outputs": task.outputs, "cache": "warm",
            "device": settings.device, "threads": settings.threads, "allocator": settings.allocator,
            "wait_policy": settings.wait_policy, "seed": config.seed,
            "baseline": config.baseline, "margin": config.margin, "alpha": config.alpha,
            "protocol": {"version": VERSION, "launches": task.launches, "blocks": task.blocks,
                         "sample_seconds": task.sample_seconds, "cell_seconds": task.cell_seconds},
        }


def _record(identity: Identity, measured: Measured, session: str) -> Record:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    arm = identity.implementation
    if arm in measured.fallen:
        out = measured.fallen[arm]
        return Record(identity, session, now, out.status, out.reason)
    costs = measured.costs[arm]
    canary, disturbed = _canary(identity, measured)
    comparison = _comparison(identity, measured, disturbed=disturbed)
    samples = measured.samples[arm]
    figures = {
        "median_seconds": statistics.median_seconds(samples), **comparison, "canary": canary,
        "launches": len(costs), "blocks": len({sample["block"] for sample in samples}),
        "calls": round(median(sample["calls"] for sample in samples)), "stopped": measured.stopped,
    }
    return Record(identity, session, now, Status.OK, None, (Flag.DISTURBED,) if disturbed else (), figures, samples,
                  {key: median(cost[key] for cost in costs) for key in costs[0]})


def _canary(identity: Identity, measured: Measured) -> tuple[dict[str, float] | None, bool]:
    """The A/A ratio of the cell, and whether it says that two runs of the same code differ beyond the margin."""
    if identity.cell["baseline"] in measured.fallen or CANARY in measured.fallen:
        return None, False
    ratios = statistics.log_ratios(measured.samples, CANARY, identity.cell["baseline"])
    if len(ratios) < statistics.LEAST_LAUNCHES:
        return None, False
    interval = statistics.interval(ratios, identity.cell["alpha"])
    return asdict(interval), statistics.verdict(interval, identity.cell["margin"]) in (Verdict.FASTER, Verdict.SLOWER)


def _comparison(identity: Identity, measured: Measured, *, disturbed: bool) -> dict[str, Any]:
    """Ratio to the baseline, verdict and minimum detectable effect; each None where it cannot be had, with the reason."""
    arm, baseline, alpha = identity.implementation, identity.cell["baseline"], identity.cell["alpha"]
    comparison: dict[str, Any] = dict.fromkeys(("ratio", "ratio_absent", "verdict", "minimum_detectable_effect"))
    if arm == baseline:
        return {**comparison, "ratio_absent": "it is the baseline"}
    if baseline in measured.fallen:
        return {**comparison, "ratio_absent": f"the baseline {baseline} is {measured.fallen[baseline].status} here"}
    ratios = statistics.log_ratios(measured.samples, arm, baseline)
    if len(ratios) < statistics.LEAST_LAUNCHES:
        return {**comparison, "ratio_absent": f"{len(ratios)} launch gives no interval; raise task.launches"}
    interval = statistics.interval(ratios, alpha)
    comparison["ratio"] = asdict(interval)
    comparison["verdict"] = None if disturbed else statistics.verdict(interval, identity.cell["margin"])
    comparison["minimum_detectable_effect"] = statistics.minimum_detectable_effect(
        ratios, alpha, identity.cell["margin"])
    return comparison
