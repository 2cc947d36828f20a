"""How fast: every implementation side by side in each cell, with its ratio to the baseline and a
verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from itertools import groupby, product
from statistics import median
from typing import Any

from harness.config import Config, ThroughputConfig, UsageError
from harness.environment import Environment
from harness.isolation.device_lock import device_lease
from harness.problems import problems
from harness.records import CANARY, Identity, Record, Status
from harness.tasks import worker_settings
from harness.tasks.arms import arms_of
from harness.timing.cell import Measured, Protocol, Work, measure_cell
from harness.timing.cold_cache import sets_of
from harness.timing.figures import judged
from harness.timing.launch_pool import Pool
from implementations import registry
from implementations.interface import Face, Outputs, Phase, Problem

VERSION = 2  # of the protocol: raise it when what a number means changes
ON_THE_BENCH = ("problem", "phase", "face", "outputs", "seed", "device", "inputs")


def plan(config: Config, environment: Environment) -> list[Identity]:
    """One identity for each implementation, and the canary, in each cell."""
    sources = {
        arm: registry.source_hash(specification) for arm, specification in _arms(config).items()
    }
    return [
        Identity("throughput", arm, cell, source, environment.fingerprint)
        for cell in _cells(config)
        for arm, source in sources.items()
    ]


def measure(
    config: Config,
    todo: list[Identity],
    session: str,
    announce: Callable[[str], None],
) -> Generator[Record]:
    """Measure cell by cell. What is settled already is measured beside the rest only if it is the
    baseline.
    """
    arms = _arms(config)
    with Pool(worker_settings(config), config.task.timeout) as pool:
        for _, group in groupby(todo, key=lambda identity: identity.cell_key):
            wanted = list(group)
            names = {identity.implementation for identity in wanted} | {config.baseline, CANARY}
            work = _work(config, wanted[0].cell, {arm: arms[arm] for arm in arms if arm in names})
            with device_lease(config.device.name):
                measured = measure_cell(pool, work, partial(_announce, announce, _where(work.cell)))
            for identity in wanted:
                yield _record(identity, work, measured, session)


def _work(config: Config, cell: Any, arms: dict[str, registry.Specification]) -> Work:
    task = _task(config)
    protocol = Protocol(
        task.launches,
        _most_launches(task),
        task.blocks,
        task.sample_seconds,
        task.cell_seconds,
        config.alpha,
        config.margin,
    )
    return Work(
        {**{key: cell[key] for key in ON_THE_BENCH}, "sets": _sets(cell)},
        arms,
        config.baseline,
        CANARY,
        protocol,
    )


def _where(cell: Any) -> str:
    return f"{cell['phase']} {'×'.join(map(str, cell['problem']['shape']))}"


def _announce(announce: Callable[[str], None], where: str, text: str) -> None:
    announce(f"{where}: {text}")


def _task(config: Config) -> ThroughputConfig:
    if not isinstance(config.task, ThroughputConfig):
        raise TypeError(f"the throughput task was given a {type(config.task).__name__}")
    return config.task


def _arms(config: Config) -> dict[str, registry.Specification]:
    """The implementations, the baseline among them whether listed or not, and the baseline again as
    the canary.
    """
    arms = arms_of(config)
    return {**arms, CANARY: arms[config.baseline]}


def _cells(config: Config) -> Iterator[dict[str, Any]]:
    task, settings = _task(config), worker_settings(config)
    for problem, face, phase in product(problems(config.problem), task.faces, task.phases):
        if Phase(phase).training and problem.reduction == 1:
            raise UsageError(
                f"{problem} has one value a channel, and {phase} needs more; allowed there: "
                "task.phases=[inference,backward_inference]"
            )
        cell = {
            "problem": {**asdict(problem), "shape": list(problem.shape)},
            "phase": phase,
            "face": face,
            "outputs": task.outputs,
            "cache": task.cache,
            "inputs": task.inputs,
            "device": settings.device,
            "threads": settings.threads,
            "allocator": settings.allocator,
            "wait_policy": settings.wait_policy,
            "huge_pages": settings.huge_pages,
            "seed": config.seed,
            "baseline": config.baseline,
            "margin": config.margin,
            "alpha": config.alpha,
            "protocol": {
                "version": VERSION,
                "launches": task.launches,
                "most_launches": _most_launches(task),
                "blocks": task.blocks,
                "sample_seconds": task.sample_seconds,
                "cell_seconds": task.cell_seconds,
            },
        }
        _sets(cell)  # a cold cell that cannot be is told before anything is measured
        yield cell


def _most_launches(task: ThroughputConfig) -> int:
    """Never fewer than the pilot's, which are made before there is anything to decide."""
    return max(task.most_launches or 2 * task.launches, task.launches)


def _sets(cell: Any) -> int:
    face: Face = cell["face"]
    outputs: Outputs = cell["outputs"]
    try:
        return sets_of(
            Problem(**cell["problem"]),
            Phase(cell["phase"]),
            face=face,
            outputs=outputs,
            cache=cell["cache"],
            threads=cell["threads"],
        )
    except ValueError as error:
        raise UsageError(str(error)) from None


def _record(identity: Identity, work: Work, measured: Measured, session: str) -> Record:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    arm = identity.implementation
    if arm in measured.fallen:
        out = measured.fallen[arm]
        return Record(identity, session, now, out.status, out.reason)
    figures, flags = judged(work, measured, arm)
    costs = measured.costs[arm]
    names = dict.fromkeys(name for cost in costs for name in cost)
    return Record(
        identity,
        session,
        now,
        Status.OK,
        None,
        flags,
        figures,
        measured.samples[arm],
        {name: median(cost.get(name, 0.0) for cost in costs) for name in names},
    )
