"""The checks that a type cannot make, each made once, where a configuration is made: allowed
values, bounds, and what keys must be to each other.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import Field, fields, is_dataclass, replace
from pathlib import Path
from typing import cast
from urllib.parse import unquote

from harness.config.choices import GHOST
from harness.config.schema import Config, ConvergenceConfig, ThroughputConfig
from harness.config.usage import UsageError, suggestion
from harness.environment import cpus

LAST_SEED = 2**63 - 1


def validated(config: Config) -> Config:
    """The configuration with the device's threads filled in.

    Raises ``UsageError``, which names the first bad key, what is allowed and what is like it.
    """
    for complaint in _complaints(config):
        raise UsageError(complaint)
    return replace(config, device=replace(config.device, threads=_threads(config.device.threads)))


def _threads(given: int | None) -> int:
    allowed = len(os.sched_getaffinity(0))
    if given is not None and given > allowed:
        raise UsageError(
            f"device.threads={given}, but this process may use {allowed} CPUs; allowed: 1 to "
            f"{allowed}"
        )
    return cpus.usable() if given is None else given


def _complaints(config: Config) -> Iterator[str]:
    yield from _of_each_key(config, "")
    task = config.task
    if task.name != type(task)().name:
        yield f"task.name={task.name} changes a name alone; choose a task with task={task.name}"
    if not _is_finite(config.implementations):
        yield (
            f"implementations={config.implementations} holds a number that is none (nan, inf), "
            "which no record can hold; give a finite one, or a text"
        )
    if isinstance(task, ThroughputConfig) and (task.most_launches or task.launches) < task.launches:
        yield (
            f"task.most_launches={task.most_launches} is less than task.launches={task.launches}; "
            "give as many at least, or null for twice as many"
        )
    if isinstance(config.task, ConvergenceConfig):
        yield from _of_a_training(config.task)
    if "{folder}" not in config.gate.build:
        yield (
            f"gate.build={config.gate.build} has no {{folder}}, where it has to put the package to "
            "import; write, for one, 'cp -r src/. {folder}'"
        )
    yield from _of_tracking(config)


def _of_a_training(task: ConvergenceConfig) -> Iterator[str]:
    repeated = len(set(task.seeds)) < len(task.seeds)
    if repeated or not 0 <= min(task.seeds) <= max(task.seeds) <= LAST_SEED:
        yield f"task.seeds={task.seeds}; allowed: integers from 0 to 2**63 - 1, each once"
    if GHOST in task.alternatives and task.batch % task.ghost_batch:
        yield (
            f"task.batch={task.batch} is no multiple of task.ghost_batch={task.ghost_batch}, so "
            "that samples would be left over; choose one that divides the other"
        )


def _of_tracking(config: Config) -> Iterator[str]:
    """A database is named by a URI, in which ? ends a path and % begins an escape; versions of
    SQLAlchemy differ in whether they can be escaped themselves.
    """
    folder = str(Path(config.results).resolve())
    in_folder = config.tracking.enabled and config.tracking.uri is None
    if in_folder and ("?" in folder or unquote(folder) != folder):
        yield (
            f"results={config.results}: MLflow cannot keep its database in {folder}, because of "
            "the ? or % in it; choose another folder, or go without MLflow: tracking=none"
        )


def _of_each_key(node: object, prefix: str) -> Iterator[str]:
    """``node`` is the configuration or a part of it, whose keys begin with ``prefix``."""
    for key in fields(node):  # type: ignore[arg-type]  # the root is a dataclass, as are its parts
        value = getattr(node, key.name)
        if is_dataclass(value):
            yield from _of_each_key(value, f"{prefix}{key.name}.")
        else:
            yield from _of_key(f"{prefix}{key.name}", value, key)


def _of_key(key: str, value: object, schema: Field[object]) -> Iterator[str]:
    allowed = schema.metadata.get("allowed")
    if allowed is not None:
        yield from _not_allowed(key, value if isinstance(value, list) else [value], allowed)
    if value == "":
        yield f"{key} is empty; give a value, or leave it out for the default"
    if isinstance(value, list) and not value and not schema.metadata.get("may_be_empty"):
        yield f"{key}=[] asks for nothing; give at least one"
    if isinstance(value, list) and allowed is not None and len(set(value)) < len(value):
        yield f"{key}=[{','.join(map(str, value))}] has one of them twice; give each once"
    if "least" in schema.metadata and value is not None:
        least, most = schema.metadata["least"], schema.metadata["most"]
        # Hydra has converted what it was given; Python's callers may pass anything
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not least <= cast(float, value) <= most:
            yield f"{key}={value}; allowed: {_exact(least)} to {_exact(most)}"


def _exact(bound: float) -> str:
    """A bound with all its digits, and a whole one without a point."""
    return str(int(bound) if bound == int(bound) else bound)


def _is_finite(value: object) -> bool:
    """Whether no float in a configured value, or anywhere in it, is infinite or NaN."""
    if isinstance(value, Mapping):
        return all(map(_is_finite, [*value, *value.values()]))
    if isinstance(value, list):
        return all(map(_is_finite, value))
    return not isinstance(value, float) or math.isfinite(value)


def _not_allowed(key: str, given: Iterable[object], allowed: Iterable[object]) -> Iterator[str]:
    names = ["null" if choice is None else str(choice) for choice in allowed]
    for item in given:
        if item not in allowed:
            near = suggestion(str(item), names)
            yield f"{key}={item}{near}; allowed: {', '.join(names)}"
