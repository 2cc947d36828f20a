"""What there is to choose from: implementations with their availability, suites of problems,
presets. Imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

import implementations
from harness.config.reserved_names import reserved_name
from harness.problems import SUITES
from implementations import registry
from implementations.published_text import visible

LONGEST_NAME = 30  # a longer one leaves the column of descriptions to the others
PRESETS = Path(implementations.__file__).parent.parent / "conf" / "experiment"


@dataclass(frozen=True)
class ListedImplementation:
    """``reason`` is why it is not available here."""

    name: str
    available: bool
    reason: str | None


@dataclass(frozen=True)
class ListedSuite:
    """``source`` says where its shapes come from."""

    name: str
    description: str
    source: str


@dataclass(frozen=True)
class ListedPreset:
    name: str
    description: str


@dataclass(frozen=True)
class Listing:
    implementations: tuple[ListedImplementation, ...]
    suites: tuple[ListedSuite, ...]
    presets: tuple[ListedPreset, ...]


def listing() -> Listing:
    """Everything, in the order in which it is shown."""
    return Listing(
        _implementations(),
        tuple(
            ListedSuite(suite.name, suite.description, suite.source) for suite in SUITES.values()
        ),
        tuple(
            ListedPreset(path.stem, _first_comment(path)) for path in sorted(PRESETS.glob("*.yaml"))
        ),
    )


def titles(found: Listing) -> str:
    """Name and description of each, under the title of its kind."""
    described: Mapping[str, Sequence[tuple[str, str]]] = {
        "implementations": [
            (visible(each.name), visible(each.reason or "available"))
            for each in found.implementations
        ],
        "suites": [(suite.name, suite.description) for suite in found.suites],
        "presets": [(preset.name, preset.description) for preset in found.presets],
    }
    lengths = [len(name) for rows in described.values() for name, _ in rows]
    width = max(length for length in lengths if length <= LONGEST_NAME)
    lines: list[str] = []
    for title, rows in described.items():
        lines += [title, *(f"  {name:{width}}  {description}" for name, description in rows)]
    return "".join(f"{line}\n" for line in lines)


def _implementations() -> tuple[ListedImplementation, ...]:
    """In alphabetical order, those among them that cannot be had by their names."""
    found = [(name, reserved_name(name) or registry.unavailable(name)) for name in registry.names()]
    rows = sorted([*found, *registry.unusable()], key=itemgetter(0))
    return tuple(ListedImplementation(name, reason is None, reason) for name, reason in rows)


def _first_comment(path: Path) -> str:
    """A preset's description: its first comment that is not a directive to Hydra."""
    lines = path.read_text().splitlines()
    comments = [line.removeprefix("#").strip() for line in lines if line.startswith("#")]
    return next((comment for comment in comments if not comment.startswith("@")), "")
