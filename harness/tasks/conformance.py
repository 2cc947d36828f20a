"""Whether each implementation is right: every case for every implementation, each in a worker that it may take down."""

from __future__ import annotations

from collections.abc import Callable, Generator
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from harness.arms import arms_of
from harness.config import Config, ConformanceConfig, UsageError, suggestion
from harness.conformance.cases import CASES, Case, described, matching
from harness.environment import Environment
from harness.isolation import Host, Killed, Overdue, RemoteError
from harness.records import Identity, Record, Status
from harness.tasks import worker_settings
from implementations import registry

VERSION = 1  # of the protocol: raise it when a case or a tolerance changes


def plan(config: Config, environment: Environment) -> list[Identity]:
    """One identity for each implementation and case. Raises ``UsageError`` for a glob that matches no case."""
    cells = [_cell(config, case) for case in _cases(config)]
    sources = {arm: registry.source_hash(specification) for arm, specification in _arms(config).items()}
    return [
        Identity("conformance", arm, cell, source, environment.fingerprint)
        for arm, source in sources.items()
        for cell in cells
    ]


def measure(config: Config, todo: list[Identity], session: str, announce: Callable[[str], None]) -> Generator[Record]:
    """Run the cases of each implementation in a worker of its own, which is replaced when a case has ended it."""
    arms, settings = _arms(config), worker_settings(config)
    for arm, identities in groupby(todo, key=lambda identity: identity.implementation):
        host: Host | None = None
        try:
            for identity in identities:
                announce(f"{arm}: {identity.cell['case']}")
                host = host or Host(settings)
                answer, alive = _answer(host, arms[arm], identity, config.task.timeout)
                if not alive:
                    host.close()
                    host = None
                yield Record(identity, session, datetime.now(UTC).isoformat(timespec="seconds"), **answer)
        finally:
            if host is not None:
                host.close()


def _answer(host: Host, specification: registry.Specification, identity: Identity,
            timeout: float) -> tuple[dict[str, Any], bool]:
    """What the worker answers, or in its words what became of it; and whether it can be asked again."""
    try:
        answer = host.call("conformance.run", timeout, implementation=specification, case=identity.cell["case"],
                           device=identity.cell["device"])
    except Overdue as reason:
        return {"status": Status.TIMEOUT, "reason": str(reason)}, False
    except Killed as reason:
        return {"status": Status.CRASHED, "reason": str(reason)}, False
    except RemoteError as error:
        return {"status": Status.CRASHED, "reason": f"it raised {error}"}, True
    return {**answer, "status": Status(answer["status"])}, True


def _cases(config: Config) -> list[Case]:
    if not isinstance(config.task, ConformanceConfig):
        raise TypeError(f"the conformance task was given a {type(config.task).__name__}")
    found = matching(config.task.cases)
    if not found:
        names = [case.name for case in CASES]
        groups = dict.fromkeys(f"{name.partition('/')[0]}/*" for name in names)
        raise UsageError(f"task.cases={config.task.cases!r} matches no case{suggestion(config.task.cases, names)}; "
                         f"allowed: a name or a glob, such as {', '.join(groups)}")
    return found


def _arms(config: Config) -> dict[str, registry.Specification]:
    """The listed implementations. A baseline that is not among them is nobody's concern here."""
    arms = arms_of(config)
    listed = {registry.name_of(item) for item in config.implementations}
    return {arm: specification for arm, specification in arms.items() if arm in listed}


def _cell(config: Config, case: Case) -> dict[str, Any]:
    settings = worker_settings(config)
    return {**described(case), "device": settings.device, "threads": settings.threads, "allocator": settings.allocator,
            "wait_policy": settings.wait_policy, "protocol": VERSION}

