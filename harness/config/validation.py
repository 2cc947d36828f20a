"""The checks that a type cannot make, each made once, where a configuration is made: allowed
values, bounds, and what keys must be to each other.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import Field, fields, is_dataclass, replace
from typing import cast

from harness.config.choices import GHOST
from harness.config.schema import Config, ConvergenceConfig
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
    if isinstance(config.task, ConvergenceConfig):
        yield from _of_a_training(config.task)


def _of_a_training(task: ConvergenceConfig) -> Iterator[str]:
    repeated = len(set(task.seeds)) < len(task.seeds)
    if repeated or not 0 <= min(task.seeds) <= max(task.seeds) <= LAST_SEED:
        yield f"task.seeds={task.seeds}; allowed: integers from 0 to 2**63 - 1, each once"
    if GHOST in task.alternatives and task.batch % task.ghost_batch:
        yield (
            f"task.batch={task.batch} is no multiple of task.ghost_batch={task.ghost_batch}, so "
            "that samples would be left over; choose one that divides the other"
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
    if "least" in schema.metadata and value is not None:
        least, most = schema.metadata["least"], schema.metadata["most"]
        if not least <= cast(float, value) <= most:  # only numbers have bounds
            yield f"{key}={value}; allowed: {least:g} to {most:g}"


def _not_allowed(key: str, given: Iterable[object], allowed: Iterable[object]) -> Iterator[str]:
    names = ["null" if choice is None else str(choice) for choice in allowed]
    for item in given:
        if item not in allowed:
            near = suggestion(str(item), names)
            yield f"{key}={item}{near}; allowed: {', '.join(names)}"
