"""The error of a command or a configuration that cannot be carried out as given, and the hint at
what was meant.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class UsageError(Exception):
    """A command or a configuration cannot be carried out as given. Exit status 2."""


def suggestion(given: str, allowed: Iterable[str]) -> str:
    """The words "; did you mean ...?", or nothing where no allowed word is near."""
    near = get_close_matches(given, list(allowed), n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else ""
