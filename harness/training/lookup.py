"""Data sets, networks and optimizers are entries of tables, asked for by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from harness.config import suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping

Key = TypeVar("Key", bound=str)
T = TypeVar("T")


def choose(kind: str, name: str, table: Mapping[Key, T]) -> T:
    """The entry of that name. Raises ValueError, with the allowed names and the nearest, where
    there is none.
    """
    for key, entry in table.items():
        if key == name:
            return entry
    raise ValueError(f"{kind}={name}{suggestion(name, table)}; allowed: {', '.join(table)}")
