"""Whether each implementation is right: every case for every implementation, each in a worker that
it may take down.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace

from harness.config import Config, ConformanceConfig, UsageError, suggestion
from harness.conformance.cases import CASES, Case, described, matching
from harness.conformance.messages import CaseOutcome
from harness.environment import Environment, cpus
from harness.isolation import Arm, Call, WorkerKind, side_by_side
from harness.isolation.failures import WORKER_FAILURES, failure_reason, failure_status
from harness.isolation.loading import Loading
from harness.isolation.machine_lock import machine_lock
from harness.records import CaseCell, CaseRecord, Cost, Flag, Identity, Seconds
from harness.tasks.arm_settings import identify
from harness.tasks.arms import arms_of, name_of
from harness.tasks.common import device_settings_of, task_config, timestamp, worker_settings

VERSION = 3  # of the protocol: raise it when a case or a tolerance changes
WORKER = "harness.conformance.worker"
Arms = Mapping[str, Arm]


def plan(config: Config, environment: Environment) -> list[Identity[CaseCell]]:
    """One identity for each implementation and case.

    Raises ``UsageError`` for a glob that matches no case.
    """
    cells = [_cell(config, case) for case in _cases(config)]
    settings = worker_settings(config)
    known = {name: identify(name, arm, settings) for name, arm in _arms(config).items()}
    return [
        Identity(name, cell, arm.source, environment.fingerprint, arm.setting)
        for name, arm in known.items()
        for cell in cells
    ]


def measure(
    config: Config,
    todo: Sequence[Identity[CaseCell]],
    session: str,
    announce: Callable[[str], None],
) -> Generator[CaseRecord]:
    """Run the cases in as many lanes as there are CPUs, or in one for a device that lanes would
    share.
    """
    arms, settings = _arms(config), worker_settings(config)
    loading = Loading(config.task.timeout)
    groups: dict[WorkerKind, list[Identity[CaseCell]]] = {}
    for identity in todo:
        place = arms[identity.implementation].place
        own = replace(settings, threads=identity.cell.threads, place=place)
        kind = WorkerKind(WORKER, own, used_for=identity.implementation)
        groups.setdefault(kind, []).append(identity)

    def record(call: Call, identity: Identity[CaseCell]) -> CaseRecord:
        announce(f"{identity.implementation}: {identity.cell.case}")
        arm = arms[identity.implementation]
        return _checked(call, arm, identity, session, config.task.timeout, loading)

    lanes = cpus.usable() if settings.device == "cpu" else 1
    yield from side_by_side(groups, record, min(lanes, len(todo)))


def _checked(
    call: Call,
    arm: Arm,
    identity: Identity[CaseCell],
    session: str,
    timeout: float,
    loading: Loading,
) -> CaseRecord:
    """What came of a case, as a record."""
    with machine_lock(timed=False) as waited:
        began = time.perf_counter()
        outcome = _outcome(call, arm, identity.cell, timeout, loading)
        seconds = Seconds(time.perf_counter() - began)
    mistrusted = outcome.figures is not None and bool(outcome.figures.mistrusted)
    return CaseRecord(
        identity,
        session,
        timestamp(),
        outcome.status,
        outcome.reason,
        flags=(Flag.MISTRUSTED,) if mistrusted else (),
        figures=outcome.figures,
        samples=outcome.samples,
        cost=Cost(check_seconds=seconds, lock_wait_seconds=waited),
        explanation=outcome.explanation,
    )


def _outcome(call: Call, arm: Arm, cell: CaseCell, timeout: float, loading: Loading) -> CaseOutcome:
    """What the worker answers, or what became of the worker, or of loading the implementation."""
    unloadable = loading.failure(call, arm)
    if unloadable is not None:
        return CaseOutcome(unloadable.status, unloadable.reason)
    try:
        return call(
            "check",
            CaseOutcome,
            timeout,
            implementation=arm.implementation,
            case=cell.case,
            device=cell.device,
        )
    except WORKER_FAILURES as failure:
        return CaseOutcome(failure_status(failure), failure_reason(failure))


def _cases(config: Config) -> list[Case]:
    task = task_config(config, ConformanceConfig)
    found = matching(task.cases, thorough=task.thorough)
    if not found:
        raise UsageError(_no_case(task.cases))
    return found


def _no_case(pattern: str) -> str:
    names = [case.name for case in CASES]
    groups = dict.fromkeys(f"{name.partition('/')[0]}/*" for name in names)
    thorough = matching(pattern, thorough=True)
    more = " (of the thorough ones some do: add --thorough)" if thorough else ""
    return (
        f"task.cases={pattern!r} matches no case{more}{suggestion(pattern, names)}; "
        f"allowed: a name or a glob, such as {', '.join(groups)}"
    )


def _arms(config: Config) -> Arms:
    """The listed implementations. A baseline that is not among them is not checked."""
    arms = arms_of(config)  # which refuses what has no name
    listed = set(map(name_of, config.implementations))
    return {name: arm for name, arm in arms.items() if name in listed}


def _cell(config: Config, case: Case) -> CaseCell:
    return CaseCell(
        case=case.name,
        thorough=case.thorough,
        fixed_threads=case.fixed_threads,
        definition=described(case),
        protocol=VERSION,
        **device_settings_of(worker_settings(config), case.fixed_threads),
    )
