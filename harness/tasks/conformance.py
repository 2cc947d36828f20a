"""Whether each implementation is right: every case for every implementation, each in a worker that
it may take down.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from harness.config import Config, ConformanceConfig, UsageError, suggestion
from harness.conformance.cases import CASES, Case, described, matching
from harness.conformance.deviations import explanation
from harness.environment import Environment
from harness.isolation import Killed, Overdue, RemoteError, Settings, side_by_side
from harness.records import Flag, Identity, Record, Status
from harness.tasks import worker_settings
from harness.tasks.arms import arms_of
from implementations import registry

VERSION = 2  # of the protocol: raise it when a case or a tolerance changes


def plan(config: Config, environment: Environment) -> list[Identity]:
    """One identity for each implementation and case. Raises ``UsageError`` for a glob that matches
    no case.
    """
    cells = [_cell(config, case) for case in _cases(config)]
    sources = {
        arm: registry.source_hash(specification) for arm, specification in _arms(config).items()
    }
    return [
        Identity("conformance", arm, cell, source, environment.fingerprint)
        for arm, source in sources.items()
        for cell in cells
    ]


def measure(
    config: Config, todo: list[Identity], session: str, announce: Callable[[str], None]
) -> Generator[Record]:
    """Run the cases in as many lanes as there are CPUs, or in one for a device that lanes would
    share.
    """
    arms, settings = _arms(config), worker_settings(config)
    groups: dict[tuple[str, Settings], list[Identity]] = {}
    for identity in todo:
        worker = (identity.implementation, replace(settings, threads=identity.cell["threads"]))
        groups.setdefault(worker, []).append(identity)

    def record(call: Callable[..., Any], identity: Identity) -> Record:
        announce(f"{identity.implementation}: {identity.cell['case']}")
        answer = _answer(call, arms[identity.implementation], identity, config.task.timeout)
        return Record(identity, session, datetime.now(UTC).isoformat(timespec="seconds"), **answer)

    lanes = len(os.sched_getaffinity(0)) if settings.device == "cpu" else 1
    yield from side_by_side(groups, record, min(lanes, len(todo)))


def _answer(
    call: Callable[..., Any],
    specification: registry.Specification,
    identity: Identity,
    timeout: float,
) -> dict[str, Any]:
    """What the worker answers, or in its words what became of it, as parts of a record."""
    case = identity.cell["case"]
    began = time.perf_counter()
    try:
        answer = call(
            "conformance.run",
            timeout,
            implementation=specification,
            case=case,
            device=identity.cell["device"],
        )
    except Overdue as reason:
        return {"status": Status.TIMEOUT, "reason": str(reason)}
    except Killed as reason:
        return {"status": Status.CRASHED, "reason": str(reason)}
    except RemoteError as error:
        return {"status": Status.CRASHED, "reason": f"it raised {error}"}
    failed = {sample["quantity"] for sample in answer.get("samples", []) if not sample["passed"]}
    known = (
        None
        if registry.is_foreign(specification)
        else explanation(identity.implementation, case, failed)
    )
    mistrusted = (answer.get("figures") or {}).get("mistrusted")
    return {
        **answer,
        "status": Status(answer["status"]),
        "explanation": known,
        "flags": (Flag.MISTRUSTED,) if mistrusted else (),
        "cost": {"check_seconds": time.perf_counter() - began},
    }


def _cases(config: Config) -> list[Case]:
    task = config.task
    if not isinstance(task, ConformanceConfig):
        raise TypeError(f"the conformance task was given a {type(task).__name__}")
    found = matching(task.cases, thorough=task.thorough)
    if not found:
        names = [case.name for case in CASES]
        groups = dict.fromkeys(f"{name.partition('/')[0]}/*" for name in names)
        more = (
            " (of the thorough ones some do: add --thorough)"
            if matching(task.cases, thorough=True)
            else ""
        )
        raise UsageError(
            f"task.cases={task.cases!r} matches no case{more}{suggestion(task.cases, names)}; "
            f"allowed: a name or a glob, such as {', '.join(groups)}"
        )
    return found


def _arms(config: Config) -> dict[str, registry.Specification]:
    """The listed implementations. A baseline that is not among them is nobody's concern here."""
    arms = arms_of(config)
    listed = {registry.name_of(item) for item in config.implementations}
    return {arm: specification for arm, specification in arms.items() if arm in listed}


def _cell(config: Config, case: Case) -> dict[str, Any]:
    settings = worker_settings(config)
    return {
        **described(case),
        "device": settings.device,
        "threads": case.fixed_threads or settings.threads,
        "allocator": settings.allocator,
        "wait_policy": settings.wait_policy,
        "huge_pages": settings.huge_pages,
        "protocol": VERSION,
    }
