"""From the list that a user wrote to the arms of a comparison, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.config import Config, UsageError, suggestion
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
    if isinstance(item, Mapping):
        specification = {str(key): value for key, value in item.items()}
        reason = registry.missing_target(specification)
        if reason is not None:
            raise UsageError(f"implementations holds {dict(item)}: {reason}")
        return specification
    if not isinstance(item, str) or item not in registry.names():
        raise UsageError(
            f"there is no implementation {item!r}{suggestion(str(item), registry.names())}; "
            f"allowed: {', '.join(registry.names())}, or {{_target_: package.module.Class}}"
        )
    return str(item)
