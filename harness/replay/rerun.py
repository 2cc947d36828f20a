"""Recorded measurements made once more: the same task under the same configuration, and of its plan
what they were.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.analysis.rerun_command import target_of
from harness.config import Config, UsageError
from harness.config.composition import OF_THE_SESSION
from harness.config.restoring import restored
from harness.environment import Environment
from harness.records import CANARY, Identity, Record
from harness.replay.recorded_runs import Original
from harness.session.lifecycle import measured
from harness.tasks import task_of
from harness.training.alternatives import ALTERNATIVES
from implementations import registry

# parts of a cell that say which of a job's measurements it is
WHAT = ("seed", "case", "problem", "phase", "face")


@dataclass(frozen=True)
class Job:
    """Originals of one job, the configuration under which they are run again, and as what: an
    identity for each.
    """

    originals: Sequence[Original]
    config: Config
    identities: Sequence[Identity]

    def run(self, session: str, environment: Environment) -> list[tuple[Original, Record]]:
        """Measure, and journal as a part of ``session``."""
        made = {
            record.key: record
            for record in measured(
                self.config,
                session,
                f"replay {self.config.task.name}",
                list(self.identities),
                environment,
            )
        }
        return [
            (original, made[identity.key])
            for original, identity in zip(self.originals, self.identities, strict=True)
        ]


def jobs(
    originals: Sequence[Original], overrides: Sequence[str], here: Config, environment: Environment
) -> list[Job]:
    """What there is to run, journalled where ``here`` says, with ``overrides`` (``key=value``) in
    the place of what was.

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
    arms = _arms([original.record.implementation for original in originals], config)
    config = replace(
        config, **{name: getattr(here, name) for name in OF_THE_SESSION}, implementations=arms
    )
    planned = {_what(identity): identity for identity in task_of(config).plan(config, environment)}
    for original in originals:
        if _what(original.record.identity) not in planned:
            raise UsageError(
                f"{original.record.implementation} in {original.record.key} is not part of what "
                "this "
                "configuration measures; leave out the overrides that choose what is measured"
            )
    return Job(
        originals, config, [planned[_what(original.record.identity)] for original in originals]
    )


def _what(identity: Identity) -> str:
    cell = {name: identity.cell[name] for name in WHAT if name in identity.cell}
    return json.dumps([identity.implementation, cell], sort_keys=True)


def _arms(names: Sequence[str], config: Config) -> list[Any]:
    """The implementations of those names, and a baseline from outside, which nothing runs without.

    One from outside is as the command line names it again, since no file may say what is run.
    """
    ours = [name for name in names if name not in (*ALTERNATIVES, CANARY)]
    if config.baseline not in registry.names():
        ours.append(config.baseline)
    given = {registry.name_of(item): item for item in config.implementations}
    for name in given:
        if name not in (*ours, config.baseline):
            foreign = ", ".join(
                dict.fromkeys(other for other in ours if other not in registry.names())
            )
            raise UsageError(
                f"implementations has {name}, of which nothing is replayed here; leave out what "
                "bnbench has "
                f"itself, and name {foreign or 'nothing else'}"
            )
    for name in ours:
        if name not in registry.names() and not isinstance(given.get(name), Mapping):
            raise UsageError(
                f"{name} comes from outside bnbench, and what is run is not taken from a record: "
                "name it again "
                f"with 'implementations=[{target_of(name)}]'"
            )
    return list({name: given.get(name, name) for name in ours}.values()) or [config.baseline]
