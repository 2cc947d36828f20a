"""Where a built-in implementation is known to depart from the contract, and by which property of
its own.

An explained WRONG stays WRONG in every table; it only does not fail a session, since nothing new
was found. What is explained is the failure of those quantities in those cases and nothing beside
it, of built-ins and nobody else: a plug-in does not excuse itself.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class Deviation:
    """``quantities`` that fail in ``case``, and why, with the source of that knowledge."""

    implementation: str
    case: str
    quantities: frozenset[str]
    explanation: str


DEVIATIONS = (
    Deviation(
        "torch_compile",
        "repeats/graph_kept",
        frozenset({"the second backward"}),
        "a compiled backward frees what the forward saved for it (donated buffers, "
        "torch/_functorch/config.py), so its graph serves one backward; PyTorch raises a clear "
        "error, and donated_buffer=False keeps the graph",
    ),
)


def explanation(implementation: str, case: str, failed: Collection[str]) -> str | None:
    """Why exactly these quantities may fail, or None where that is not known."""
    return next(
        (
            known.explanation
            for known in DEVIATIONS
            if (known.implementation, known.case) == (implementation, case)
            and failed
            and known.quantities >= set(failed)
        ),
        None,
    )
