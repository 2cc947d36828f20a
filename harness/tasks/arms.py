"""From the list that a user wrote to the arms of a comparison, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.config import Config, UsageError, suggestion
from harness.config.reserved_names import reserved_name
from implementations import registry


def arms_of(config: Config) -> dict[str, registry.Specification]:
    """The implementations by name, the baseline among them whether it is listed or not.

    Raises ``UsageError`` for an unknown name, a target that is not there, or an implementation
    listed twice.
    """
    arms: dict[str, registry.Specification] = {}
    for item in config.implementations:
        specification = _specification(item)
        name = registry.name_of(specification)
        if name in arms:
            raise UsageError(
                f"implementations lists {name!r} twice; list each once (the baseline runs twice by "
                "itself)"
            )
        arms[name] = specification
    if config.baseline not in arms:
        arms = {config.baseline: _specification(config.baseline), **arms}
    return arms


def _specification(item: Any) -> registry.Specification:
    given = {str(key): value for key, value in item.items()} if isinstance(item, Mapping) else item
    if isinstance(given, dict):
        reason = registry.mistake(given)
        if reason is not None:
            raise UsageError(f"implementations holds {given}: {reason}")
        return given
    reserved = reserved_name(str(given))
    if reserved is not None:
        raise UsageError(f"there is no implementation {given!r}: {reserved}")
    if not isinstance(given, str) or given not in registry.names():
        raise UsageError(_unknown(given))
    reason = registry.mistake(given)
    if reason is not None:
        raise UsageError(f"{given} is installed, but cannot be loaded: {reason}")
    return given


def _unknown(given: object) -> str:
    for name, reason in registry.unusable():
        if name == given:
            return f"there is no implementation {given!r}: {reason}"
    return (
        f"there is no implementation {given!r}{suggestion(str(given), registry.names())}; "
        f"allowed: {', '.join(registry.names())}, or {{_target_: package.module.Class}}"
    )
