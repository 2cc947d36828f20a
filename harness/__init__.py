"""The harness: what proves, measures, records and reports on `implementations`.

check(implementation, ...) -> list[CaseRecord]        conformance, for a project's own pytest
measure(implementations, problems, ...) -> list[ThroughputRecord]        speed, side by side
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.api import check, measure

__all__ = ["check", "measure"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from harness import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
