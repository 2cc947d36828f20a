"""What identifies an arm beside its name and its cell: the hash of its source, and where it runs
elsewhere, what is in force there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from harness.config import UsageError
from harness.isolation import HERE, Arm, WorkerProcess, WorkerSettings, place_facts
from harness.isolation.failures import WORKER_FAILURES
from harness.isolation.machine_lock import machine_lock
from harness.isolation.place_facts import PlaceFacts
from harness.isolation.worker_pool import FORK_SERVERS
from harness.records import ArmSetting, digest, to_json
from implementations import registry
from implementations.published_text import visible, without_credentials

TIMEOUT = 120.0  # seconds that a worker may take to hash the sources of one implementation


@dataclass(frozen=True)
class ArmIdentity:
    """``setting`` is None of an implementation of this environment under its own name, whose
    identity is as it was before arms had labels and places.
    """

    source: str
    setting: ArmSetting | None = None


def identify(name: str, arm: Arm, settings: WorkerSettings) -> ArmIdentity:
    """Raises ``UsageError`` for a name that neither this environment nor the arm's own has."""
    implementation = registry.name_of(arm.implementation)
    if arm.place == HERE:
        setting = None if name == implementation else ArmSetting(implementation)
        return ArmIdentity(registry.source_hash(arm.implementation), setting)
    facts = _FACTS.of(arm, settings)
    if facts is None:  # the worker that is to measure it will say why
        return ArmIdentity(digest(implementation), _setting(implementation, arm))
    if facts.mistake is not None and registry.mistake(arm.implementation) is not None:
        raise UsageError(f"{name}: {facts.mistake}")
    setting = replace(
        _setting(implementation, arm),
        versions=facts.versions,
        instruction_sets=facts.instruction_sets,
    )
    return ArmIdentity(facts.source, setting)


def ask_place(arm: Arm, settings: WorkerSettings) -> PlaceFacts:
    """What is in force where an arm runs, asked of a worker there, and remembered for `identify`.

    Raises one of ``WORKER_FAILURES`` where none answers.
    """
    with (
        machine_lock(timed=False),
        WorkerProcess(
            place_facts.__name__, replace(settings, place=arm.place), FORK_SERVERS.start
        ) as worker,
    ):
        found = worker.call(
            place_facts.SERVICE, PlaceFacts, TIMEOUT, implementation=arm.implementation
        )
    _FACTS.remember(arm, settings, found)
    return found


def _setting(implementation: str, arm: Arm) -> ArmSetting:
    place = arm.place
    return ArmSetting(
        implementation,
        None if place.python is None else _published(place.python),
        None if place.path is None else _published(place.path),
        {name: _published(value) for name, value in place.variables},
    )


def _published(text: str) -> str:
    return visible(without_credentials(text))


class _KnownFacts:
    """What was learned of each place, for as long as the files that it was read from stay as they
    are: asking takes a worker that imports PyTorch, and each job of a sweep wants to know.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[PlaceFacts, Mapping[str, int | None]]] = {}

    def of(self, arm: Arm, settings: WorkerSettings) -> PlaceFacts | None:
        """None where no worker there answers."""
        key = _key(arm, settings)
        if key in self._known:
            facts, state = self._known[key]
            if state == _state(facts):
                return facts
        found = _asked(arm, settings)
        if found is not None:
            self.remember(arm, settings, found)
        return found

    def remember(self, arm: Arm, settings: WorkerSettings, facts: PlaceFacts) -> None:
        self._known[_key(arm, settings)] = facts, _state(facts)


def _asked(arm: Arm, settings: WorkerSettings) -> PlaceFacts | None:
    try:
        return ask_place(arm, settings)
    except WORKER_FAILURES:
        return None


def _key(arm: Arm, settings: WorkerSettings) -> str:
    return to_json([arm, settings.threads, settings.device])


def _state(facts: PlaceFacts) -> Mapping[str, int | None]:
    """When each of the files last changed."""
    return {file: _changed(Path(file)) for file in facts.files}


def _changed(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None


_FACTS = _KnownFacts()
