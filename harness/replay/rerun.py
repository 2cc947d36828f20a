"""Recorded measurements made once more: from the plan of the same task under the same
configuration, those that were recorded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from harness.analysis.rerun_command import item_of
from harness.config import Config, UsageError
from harness.config.choices import ALTERNATIVES
from harness.config.composition import OF_THE_SESSION
from harness.config.restoring import restored
from harness.config.shell import shell_word
from harness.environment import Environment
from harness.records import (
    CANARY,
    AnyRecord,
    ArmSetting,
    CaseCell,
    Cell,
    Identity,
    ThroughputCell,
    TrainingCell,
)
from harness.replay.recorded_runs import Original
from harness.session import measure
from harness.tasks import task_of
from harness.tasks.arms import PARTS, name_of
from implementations import registry


@dataclass(frozen=True)
class Job:
    """Originals of one job, the configuration under which they are run again, and for each original
    the identity of its replay.
    """

    originals: Sequence[Original]
    config: Config
    identities: Sequence[Identity[Cell]]

    def run(self, session: str, environment: Environment) -> list[tuple[Original, AnyRecord]]:
        """Measure, and journal as a part of ``session``."""
        name, wanted = f"replay {self.config.task.name}", list(self.identities)
        records = measure(self.config, session, name, wanted, environment)
        made = {record.key: record for record in records}
        return [
            (original, made[identity.key])
            for original, identity in zip(self.originals, self.identities, strict=True)
        ]


def jobs(
    originals: Sequence[Original], overrides: Sequence[str], here: Config, environment: Environment
) -> list[Job]:
    """What there is to run, journalled where ``here`` says, with ``overrides`` (``key=value``) in
    the place of recorded values.

    Raises ``UsageError`` for what cannot be run again.
    """
    groups: dict[str, list[Original]] = {}
    for original in originals:
        groups.setdefault(json.dumps(original.config, sort_keys=True), []).append(original)
    return [_job(group, overrides, here, environment) for group in groups.values()]


def _job(
    originals: Sequence[Original], overrides: Sequence[str], here: Config, environment: Environment
) -> Job:
    config = restored({**originals[0].config, "resume": False}, overrides)
    recorded = _recorded_setting(config.baseline, originals[0].config)
    settings = {one.record.implementation: one.record.identity.arm for one in originals}
    settings = {**({config.baseline: recorded} if recorded else {}), **settings}
    arms = _arms(settings, config)
    config = replace(
        config, **{name: getattr(here, name) for name in OF_THE_SESSION}, implementations=arms
    )
    planned = {
        _measurement(identity): identity for identity in task_of(config).plan(config, environment)
    }
    identities = []
    for original in originals:
        identity = planned.get(_measurement(original.record.identity))
        if identity is None:
            raise UsageError(
                f"{original.record.implementation} in {original.record.key} is not part of what "
                "this configuration measures; leave out the overrides that choose what is measured"
            )
        identities.append(identity)
    return Job(originals, config, identities)


def _measurement(identity: Identity[Cell]) -> tuple[object, ...]:
    """What tells the measurements of one job apart, whatever the overrides change."""
    cell = identity.cell
    match cell:
        case ThroughputCell():
            return identity.implementation, cell.problem, cell.phase, cell.face, cell.seed
        case TrainingCell():
            return identity.implementation, cell.seed
        case CaseCell():
            return identity.implementation, cell.case
        case _:
            assert_never(cell)


def _refuse_unnamed(
    labelled: Mapping[str, ArmSetting], given: Mapping[str, registry.Specification]
) -> None:
    """Raises ``UsageError`` where an arm with a label, or a place, is not named again."""
    if all(isinstance(given.get(name), Mapping) for name in labelled):
        return
    items = ", ".join(item_of(name, arm) for name, arm in labelled.items())
    raise UsageError(
        f"{', '.join(labelled)}: an arm with a label or a place of its own, and what is run is not "
        f"taken from a record; name it again with {shell_word(f'implementations=[{items}]')}"
    )


def _recorded_setting(name: str, recorded: Mapping[str, object]) -> ArmSetting | None:
    """What an arm of a recorded configuration stands for, where that is not its name alone."""
    items = recorded.get("implementations")
    for item in items if isinstance(items, list) else []:
        if isinstance(item, Mapping) and item.get("label", item.get("name")) == name:
            target = {key: item[key] for key in item if key not in PARTS}
            what = target if "_target_" in target else str(target.get("name"))
            setting = ArmSetting(
                registry.name_of(what),
                item.get("python"),
                item.get("path"),
                dict(item.get("variables") or {}),
            )
            return setting if setting.runs_elsewhere or setting.name != name else None
    return None


def _arms(
    settings: Mapping[str, ArmSetting | None], config: Config
) -> list[registry.Specification]:
    """The arms of those names, and the baseline if it comes from outside or runs elsewhere.

    One from outside, or elsewhere, has to be named by the command line again: no file decides what
    is run.
    """
    given = {name_of(item): item for item in config.implementations}
    ours = [name for name in settings if name not in (*ALTERNATIVES, CANARY)]
    if config.baseline not in registry.names() and config.baseline not in ours:
        ours.append(config.baseline)
    labelled = {name: arm for name, arm in settings.items() if arm is not None and name in ours}
    _refuse_unnamed(labelled, given)
    for name in given:
        if name not in (*ours, config.baseline):
            foreign = ", ".join(other for other in ours if other not in registry.names())
            raise UsageError(
                f"implementations has {name}, of which nothing is replayed here; leave out what "
                f"bnbench has itself, and name {foreign or 'nothing else'}"
            )
    for name in ours:
        if name in labelled:
            continue
        if name not in registry.names() and re.fullmatch(r"[\w-]+", name):
            raise UsageError(
                f"{name} was registered by a package that is not installed here; install that, "
                "and replay again"
            )
        if name not in registry.names() and not isinstance(given.get(name), Mapping):
            raise UsageError(
                f"{name} comes from outside bnbench, and what is run is not taken from a record: "
                f"name it again with 'implementations=[{item_of(name, None)}]'"
            )
    return list({name: given.get(name, name) for name in ours}.values()) or [config.baseline]
