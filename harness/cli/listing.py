"""What there is to choose from: implementations with their availability, suites of problems,
presets. Imports nothing heavy.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import implementations
from harness.problems import SUITES
from implementations import registry

PRESETS = Path(implementations.__file__).parent.parent / "conf" / "experiment"


def listing() -> dict[str, list[dict[str, Any]]]:
    """Plain data: ``implementations`` (name, available, reason), ``suites`` and ``presets`` (name,
    description).
    """
    return {
        "implementations": [_availability(name) for name in registry.names()],
        "suites": [
            {"name": suite.name, "description": suite.description, "source": suite.source}
            for suite in SUITES.values()
        ],
        "presets": [
            {"name": path.stem, "description": _first_comment(path)}
            for path in sorted(PRESETS.glob("*.yaml"))
        ],
    }


def _availability(name: str) -> dict[str, Any]:
    reason = registry.unavailable(name)
    return {"name": name, "available": reason is None, "reason": reason}


def _first_comment(path: Path) -> str:
    """What a preset says of itself: its first comment that is not a directive to Hydra."""
    comments = (
        line.removeprefix("#").strip()
        for line in path.read_text().splitlines()
        if line.startswith("#")
    )
    return next((comment for comment in comments if not comment.startswith("@")), "")
