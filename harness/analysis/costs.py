"""What an implementation takes besides the time of a call: memory, and seconds before it can be
called at its pace.
"""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median

from harness.analysis.sections import CellArms, Section
from harness.records import Cost, MemoryUse, Seconds, ThroughputRecord


def memory_of(cell: CellArms, implementation: str) -> MemoryUse | None:
    record = cell.arms.get(implementation)
    return None if record is None or record.figures is None else record.figures.memory


def median_costs(section: Section) -> dict[str, Cost]:
    """Each implementation's medians over its cells of what it costs once a process; None where no
    cell has any of that kind.
    """
    return {name: _median_cost(section.records_of(name)) for name in section.implementations}


def _median_cost(records: list[ThroughputRecord]) -> Cost:
    costs = [record.cost for record in records]
    return Cost(
        prepare_seconds=_median(cost.prepare_seconds for cost in costs),
        compile_seconds=_median(cost.compile_seconds for cost in costs),
        first_call_seconds=_median(cost.first_call_seconds for cost in costs),
        warm_up_seconds=_median(cost.warm_up_seconds for cost in costs),
        check_seconds=_median(cost.check_seconds for cost in costs),
    )


def _median(values: Iterable[Seconds | None]) -> Seconds | None:
    present = [value for value in values if value is not None]
    return Seconds(median(present)) if present else None
