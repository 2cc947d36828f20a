"""How fast: every implementation side by side in each cell, with its ratio to the baseline and a
verdict.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import product
from typing import cast

from harness.config import Config, ThroughputConfig, UsageError
from harness.config.choices import Inputs
from harness.environment import Environment
from harness.isolation import Arm
from harness.isolation.machine_lock import machine_lock
from harness.problems import problems
from harness.records import (
    CANARY,
    Identity,
    Protocol,
    Seconds,
    StopReason,
    ThroughputCell,
    ThroughputRecord,
)
from harness.tasks.arm_settings import identify
from harness.tasks.arms import arms_of
from harness.tasks.common import device_settings_of, task_config, worker_settings
from harness.tasks.memory import refuse_large_problem
from harness.tasks.wanted_cell import WantedCell
from harness.timing.cell_progress import LaunchRule
from harness.timing.cell_rounds import CellRounds
from harness.timing.cell_spec import CellSpec
from harness.timing.cold_cache import sets_of
from harness.timing.launch_pool import LAUNCHES
from harness.timing.launch_variances import launches_wanted
from harness.timing.messages import CellSetup
from harness.timing.time_budget import TimeBudget
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
    budget: TimeBudget | None = None,
    rule: LaunchRule = launches_wanted,
) -> Generator[ThroughputRecord]:
    """Measure cell by cell; a cell's records come when all its arms are decided, or nothing is left
    to spend on it. What is settled already is measured beside the rest only if it is the baseline.

    The cells have their ``cell_seconds`` together, or another ``budget``. By the ``rule`` an arm is
    undecided. Whatever ends this early, what was measured is handed over first.
    """
    cells = _wanted_cells(config, todo)
    sources = {identity.implementation: identity.source for identity in todo}
    given = sum(cell.spec.protocol.cell_seconds for cell in cells.values())
    with LAUNCHES.pool(worker_settings(config), config.task.timeout, sources) as pool:
        rounds = CellRounds(pool, budget or TimeBudget(given), machine_lock, announce, rule)
        left: deque[ThroughputRecord] = deque()
        try:
            for done in rounds.measure({key: cell.spec for key, cell in cells.items()}):
                left += cells[done.key].records(done, session)
                while left:
                    yield left.popleft()
        except GeneratorExit:
            raise
        except BaseException:
            for cell in rounds.waiting.values():
                left += cells[cell.key].records(cell, session, StopReason.INTERRUPTED)
            for record in left:
                # Who asked for an end may ask again here, where it comes already.
                with suppress(KeyboardInterrupt):
                    yield record
            raise


def _wanted_cells(
    config: Config, todo: Iterable[Identity[ThroughputCell]]
) -> dict[str, WantedCell]:
    """What there is to measure, by cell."""
    arms, by_cell = _arms(config), dict[str, list[Identity[ThroughputCell]]]()
    for identity in todo:
        by_cell.setdefault(identity.cell_key, []).append(identity)
    cells = {}
    for key, wanted in by_cell.items():
        names = {identity.implementation for identity in wanted} | {config.baseline, CANARY}
        spec = _spec(wanted[0].cell, {arm: arms[arm] for arm in arms if arm in names})
        cells[key] = WantedCell(spec, wanted)
    return cells


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
