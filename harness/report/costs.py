"""What an implementation takes besides the time of a call: memory, and seconds before it can be
called at its pace.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import median
from typing import Any

from harness.report import text
from harness.report.views import Cell, Section

SECONDS = {
    "prepare_seconds": "preparation",
    "compile_seconds": "of it compiling",
    "first_call_seconds": "first call",
    "warm_up_seconds": "warm-up",
    "check_seconds": "check",
}


def memory(section: Section) -> str | None:
    """A row a cell, a column an implementation: bytes saved for backward, and the peak of a call
    beyond what was there.

    None where no record tells.
    """
    names = section.implementations
    if not any(_memory(cell, name) for cell in section.cells for name in names):
        return None
    rows = [
        [cell.label, *(_sizes(_memory(cell, name)) for name in names)] for cell in section.cells
    ]
    return text.columns(["problem", *map(text.code, names)], rows, right=range(1, 1 + len(names)))


def seconds(section: Section) -> str | None:
    """A row an implementation: medians over cells of what it costs once a process. None where no
    record tells.
    """
    costs = {
        name: [cell.arms[name].cost for cell in section.cells if name in cell.arms]
        for name in section.implementations
    }
    told = [key for key in SECONDS if any(key in cost for own in costs.values() for cost in own)]
    if not told:
        return None
    rows = [
        [text.code(name), *(text.seconds(_median(cost.get(key) for cost in own)) for key in told)]
        for name, own in costs.items()
    ]
    return text.columns(
        ["implementation", *(SECONDS[key] for key in told)], rows, right=range(1, 1 + len(told))
    )


def _memory(cell: Cell, name: str) -> Mapping[str, Any] | None:
    figures = cell.arms[name].figures if name in cell.arms else None
    return (figures or {}).get("memory")


def _sizes(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return text.ABSENT
    return f"{text.size(found.get('saved_bytes'))} / {text.size(found.get('peak_extra_bytes'))}"


def _median(values: Iterable[float | None]) -> float | None:
    found = [value for value in values if value is not None]
    return median(found) if found else None
