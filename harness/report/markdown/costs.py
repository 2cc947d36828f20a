"""Tables of what an implementation takes besides the time of a call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from harness import formatting
from harness.analysis.costs import median_costs, memory_of
from harness.analysis.sections import CellArms, Section
from harness.records import Cost, MemoryUse, Seconds


class Column(NamedTuple):
    """A kind of cost, and where it stands."""

    title: str
    seconds: Callable[[Cost], Seconds | None]


COLUMNS = (
    Column("preparation", lambda cost: cost.prepare_seconds),
    Column("of it compiling", lambda cost: cost.compile_seconds),
    Column("first call", lambda cost: cost.first_call_seconds),
    Column("warm-up", lambda cost: cost.warm_up_seconds),
    Column("check", lambda cost: cost.check_seconds),
)


def memory(section: Section) -> str | None:
    """A row a cell, a column an implementation: bytes saved for backward, and the peak of a call
    beyond what was there. None where no record has either.
    """
    names = section.implementations
    uses = [_uses(cell, names) for cell in section.cells]
    if not any(map(any, uses)):
        return None
    header = ["problem", *map(formatting.code, names)]
    labels = [cell.label for cell in section.cells]
    rows = [[label, *map(_sizes, own)] for label, own in zip(labels, uses, strict=True)]
    return formatting.columns(header, rows, right=range(1, len(header)))


def seconds(section: Section) -> str | None:
    """A row an implementation: medians over cells of what it costs once a process. None where no
    record has any.
    """
    costs = median_costs(section)
    columns = [column for column in COLUMNS if _is_known(column, costs.values())]
    if not columns:
        return None
    header = ["implementation", *(column.title for column in columns)]
    rows = [[formatting.code(name), *_times(cost, columns)] for name, cost in costs.items()]
    return formatting.columns(header, rows, right=range(1, len(header)))


def _uses(cell: CellArms, names: Sequence[str]) -> list[MemoryUse | None]:
    return [memory_of(cell, name) for name in names]


def _is_known(column: Column, costs: Iterable[Cost]) -> bool:
    return any(column.seconds(cost) is not None for cost in costs)


def _times(cost: Cost, columns: Sequence[Column]) -> list[str]:
    return [formatting.seconds(column.seconds(cost)) for column in columns]


def _sizes(found: MemoryUse | None) -> str:
    if found is None:
        return formatting.ABSENT
    return f"{formatting.size(found.saved_bytes)} / {formatting.size(found.peak_extra_bytes)}"
