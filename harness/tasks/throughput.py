"""How fast: every implementation side by side in each cell, with its ratio to the baseline and a
verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from itertools import groupby, product
from operator import attrgetter
from statistics import median
from typing import cast

from harness.config import Config, ThroughputConfig, UsageError
from harness.config.choices import Inputs
from harness.environment import Environment
from harness.isolation import Arm
from harness.isolation.machine_lock import machine_lock
from harness.problems import problems
from harness.records import (
    CANARY,
    Cost,
    Identity,
    Protocol,
    Seconds,
    Status,
    ThroughputCell,
    ThroughputRecord,
)
from harness.statistics import LaunchVariance, fit_prior
from harness.tasks.arm_settings import identify
from harness.tasks.arms import arms_of
from harness.tasks.common import device_settings_of, task_config, timestamp, worker_settings
from harness.tasks.memory import refuse_large_problem
from harness.timing.cell import measure_cell
from harness.timing.cell_spec import CellMeasurement, CellSpec
from harness.timing.cold_cache import sets_of
from harness.timing.figures import figures_of
from harness.timing.launch_pool import LAUNCHES
from harness.timing.launch_variances import launch_variances
from harness.timing.messages import CellSetup
from implementations.interface import Phase

VERSION = 2  # of the protocol: raise it when what a number means changes
Arms = Mapping[str, Arm]


def plan(config: Config, environment: Environment) -> list[Identity[ThroughputCell]]:
    """One identity for each implementation, and the canary, in each cell."""
    settings, arms = worker_settings(config), arms_of(config)
    cells = list(_cells(config))  # what cannot be is refused before anybody is asked
    known = {name: identify(name, arm, settings) for name, arm in arms.items()}
    known[CANARY] = known[config.baseline]
    return [
        Identity(name, cell, arm.source, environment.fingerprint, arm.setting)
        for cell in cells
        for name, arm in known.items()
    ]


def measure(
    config: Config,
    todo: Sequence[Identity[ThroughputCell]],
    session: str,
    announce: Callable[[str], None],
) -> Generator[ThroughputRecord]:
    """Measure cell by cell. What is settled already is measured beside the rest only if it is the
    baseline. How many launches a cell takes goes by the noise of those before it, too.
    """
    arms, variances = _arms(config), list[LaunchVariance]()
    sources = {identity.implementation: identity.source for identity in todo}
    with LAUNCHES.pool(worker_settings(config), config.task.timeout, sources) as pool:
        for key, group in groupby(todo, key=lambda identity: identity.cell_key):
            wanted = list(group)
            names = {identity.implementation for identity in wanted} | {config.baseline, CANARY}
            spec = _spec(wanted[0].cell, {arm: arms[arm] for arm in arms if arm in names})
            with machine_lock() as waited:
                announcing = _announcing(announce, spec.setup)
                measured = measure_cell(pool, spec, announcing, fit_prior(variances))
            variances += launch_variances(spec, measured, key).values()
            for identity in wanted:
                record = _record(identity, spec, measured, session)
                record = replace(record, cost=replace(record.cost, lock_wait_seconds=waited))
                alone = all(other.implementation != config.baseline for other in wanted)
                yield _with_baseline_samples(record, measured) if alone else record


def _cells(config: Config) -> Iterator[ThroughputCell]:
    task = task_config(config, ThroughputConfig)
    device_settings = device_settings_of(worker_settings(config))
    for problem, face, name in product(problems(config.problem), task.faces, task.phases):
        phase = Phase(name)
        if phase.training and problem.reduction == 1:
            raise UsageError(
                f"{problem} has one value a channel, and {phase} needs more; allowed there: "
                "task.phases=[inference,backward_inference]"
            )
        cell = ThroughputCell(
            problem=problem,
            phase=phase,
            face=face,
            outputs=task.outputs,
            cache=task.cache,
            inputs=task.inputs,
            seed=config.seed,
            baseline=config.baseline,
            margin=config.margin,
            alpha=config.alpha,
            protocol=_protocol(task),
            accuracy=task.accuracy,
            **device_settings,
        )
        # A cold cell, or operands, that cannot be had are refused before anything is measured.
        refuse_large_problem(problem, _sets(cell))
        yield cell


def _protocol(task: ThroughputConfig) -> Protocol:
    # Never fewer launches than the pilot's, which come before there is anything to decide.
    most_launches = max(task.most_launches or 2 * task.launches, task.launches)
    return Protocol(
        version=VERSION,
        launches=task.launches,
        most_launches=most_launches,
        blocks=task.blocks,
        sample_seconds=Seconds(task.sample_seconds),
        cell_seconds=Seconds(task.cell_seconds),
    )


def _spec(cell: ThroughputCell, arms: Arms) -> CellSpec:
    setup = CellSetup(
        problem=cell.problem,
        phase=cell.phase,
        face=cell.face,
        outputs=cell.outputs,
        device=cell.device,
        seed=cell.seed,
        inputs=cast(Inputs, cell.inputs),  # of a cell that was planned, so one of them
        sets=_sets(cell),
    )
    return CellSpec(
        setup,
        arms,
        cell.baseline,
        CANARY,
        cell.protocol,
        cell.alpha,
        cell.margin,
        accuracy=cell.accuracy,
    )


def _sets(cell: ThroughputCell) -> int:
    try:
        return sets_of(
            cell.problem,
            cell.phase,
            face=cell.face,
            outputs=cell.outputs,
            cache=cell.cache,
            threads=cell.threads,
        )
    except ValueError as error:
        raise UsageError(str(error)) from None


def _arms(config: Config) -> Arms:
    """The implementations, the baseline among them whether listed or not, and the baseline again as
    the canary.
    """
    arms = arms_of(config)
    return {**arms, CANARY: arms[config.baseline]}


def _announcing(announce: Callable[[str], None], setup: CellSetup) -> Callable[[str], None]:
    where = f"{setup.phase} {'×'.join(map(str, setup.problem.shape))}"
    return lambda text: announce(f"{where}: {text}")


def _record(
    identity: Identity[ThroughputCell], spec: CellSpec, measured: CellMeasurement, session: str
) -> ThroughputRecord:
    arm = identity.implementation
    failure = measured.failures.get(arm)
    if failure is not None:
        return ThroughputRecord(identity, session, timestamp(), failure.status, failure.reason)
    figures, flags = figures_of(spec, measured, arm)
    return ThroughputRecord(
        identity,
        session,
        timestamp(),
        Status.OK,
        flags=flags,
        figures=figures,
        samples=tuple(measured.samples[arm]),
        cost=_median_cost(measured.costs[arm]),
    )


def _with_baseline_samples(record: ThroughputRecord, measured: CellMeasurement) -> ThroughputRecord:
    """The record with the samples that its ratio is of: no record of this session has them."""
    samples = measured.samples.get(record.cell.baseline)
    if record.figures is None or not samples:
        return record
    return replace(record, figures=replace(record.figures, baseline_samples=tuple(samples)))


def _median_cost(costs: Sequence[Cost]) -> Cost:
    """Of each kind of cost the median over launches, those without it counting as none."""
    kinds = [kind.name for kind in fields(Cost)]
    return Cost(**{kind: _median_or_none(map(attrgetter(kind), costs)) for kind in kinds})


def _median_or_none(seconds: Iterable[Seconds | None]) -> Seconds | None:
    known = list(seconds)
    if all(value is None for value in known):
        return None
    return Seconds(median(value or 0.0 for value in known))
