"""The error of a command or a configuration that cannot be carried out as given, and the hint at
what was meant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches


class UsageError(Exception):
    """A command or a configuration cannot be carried out as given. Exit status 2."""


def shortened(text: str, most: int = 200) -> str:
    """The text, with dots in the place of what is beyond ``most`` characters."""
    return text if len(text) <= most else f"{text[:most]}..."


def suggestion(given: str, allowed: Iterable[str], compared: Callable[[str], str] = str) -> str:
    """The words "; did you mean ...?", or nothing where no allowed word is near.

    ``compared`` gives the part of an allowed word that is held against ``given``.
    """
    words = {compared(word): word for word in allowed}
    near = get_close_matches(given, list(words), n=1, cutoff=0.5)
    return f"; did you mean {words[near[0]]!r}?" if near else ""
