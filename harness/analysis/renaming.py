"""Implementations that may be one and the same under two names."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from harness.analysis.changes import Change
from harness.analysis.session_comparison import Comparison

LEAST_LIKENESS = 0.6  # difflib's own default: shared letters over all letters


def near_names(comparisons: Iterable[Comparison]) -> dict[str, str]:
    """Names that only the session before has, each with the nearest that only the one after has."""
    changes: dict[str, set[Change]] = {}
    for found in comparisons:
        changes.setdefault(found.implementation, set()).add(found.change)
    added = [name for name, own in changes.items() if own == {Change.ADDED}]
    removed = [name for name, own in changes.items() if own == {Change.REMOVED}]
    near = {name: get_close_matches(name, added, n=1, cutoff=LEAST_LIKENESS) for name in removed}
    return {name: found[0] for name, found in near.items() if found}
