"""The checks that a type cannot make: each key's allowed values and bounds, told with the nearest
allowed one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import Field, fields, is_dataclass
from typing import Any

from harness.config.schema import Config
from harness.config.usage import UsageError, suggestion


def validated(config: Config) -> Config:
    """The configuration with the device's threads filled in. Raises ``UsageError`` naming the first
    bad key.
    """
    for complaint in _complaints(config, ""):
        raise UsageError(complaint)
    cpus = len(os.sched_getaffinity(0))
    if config.device.threads is None:
        config.device.threads = cpus
    if config.device.threads > cpus:
        raise UsageError(
            f"device.threads={config.device.threads}, but this process may use {cpus} CPUs; "
            f"allowed: 1 to {cpus}"
        )
    return config


def _complaints(node: Any, prefix: str) -> Iterator[str]:
    for key in fields(node):
        value = getattr(node, key.name)
        if is_dataclass(value):
            yield from _complaints(value, f"{prefix}{key.name}.")
        else:
            yield from _complaint(f"{prefix}{key.name}", value, key)


def _complaint(key: str, value: Any, about: Field[Any]) -> Iterator[str]:
    allowed = about.metadata.get("allowed")
    for item in value if isinstance(value, list) else [value]:
        if allowed is not None and item not in allowed:
            said = ", ".join("null" if choice is None else str(choice) for choice in allowed)
            yield f"{key}={item}{suggestion(str(item), map(str, allowed))}; allowed: {said}"
    if value == "":
        yield f"{key} is empty; give a value, or leave it out for the default"
    if isinstance(value, list) and not value and not about.metadata.get("may_be_empty"):
        yield f"{key}=[] asks for nothing; give at least one"
    if "least" in about.metadata and value is not None:
        least, most = about.metadata["least"], about.metadata["most"]
        if not least <= value <= most:
            yield f"{key}={value}; allowed: {least:g} to {most:g}"
