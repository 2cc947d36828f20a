"""How accurate a time is bought: an arm's error beside its ratio to the baseline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import fields

from harness.analysis.pareto import Point, pareto_front
from harness.analysis.ratios import ratio_to_baseline
from harness.analysis.sections import CellArms, Section
from harness.records import Accuracy, Flag, QuantityError, ThroughputRecord
from implementations.interface import Results

# What did not do the work, or not as accurately as was asked, is no choice.
NO_CHOICE = {Flag.IMPLAUSIBLE, Flag.INACCURATE}


def accuracy_of(record: ThroughputRecord) -> Accuracy | None:
    return None if record.figures is None else record.figures.accuracy


def worst_error(record: ThroughputRecord) -> float | None:
    """What stands for the arm in a table: the root mean square error of its worst quantity."""
    accuracy = accuracy_of(record)
    return None if accuracy is None else accuracy.worst


def has_accuracy(cells: Iterable[CellArms]) -> bool:
    """Whether any arm has errors. Records from before they were kept have none."""
    return any(worst_error(record) is not None for cell in cells for record in cell.arms.values())


def points(cell: CellArms) -> dict[str, Point]:
    """Error and time of each arm that has both. The baseline's time is 1."""
    found = {}
    for name, record in cell.arms.items():
        error, time = worst_error(record), _time(cell, record)
        if error is not None and time is not None:
            found[name] = Point(error, time)
    return found


def front(cell: CellArms) -> tuple[str, ...]:
    """The arms that none beats in both error and time."""
    choices = {
        name: point
        for name, point in points(cell).items()
        if not NO_CHOICE & set(cell.arms[name].flags)
    }
    return pareto_front(choices)


def front_counts(section: Section) -> dict[str, int]:
    """In how many cells each implementation is one of those."""
    counts = Counter(name for cell in section.cells for name in front(cell))
    return {name: counts[name] for name in section.implementations if counts[name]}


def has_sampled_errors(section: Section) -> bool:
    """Whether any arm's errors are not over all of its channels."""
    return any(
        accuracy.channels < record.cell.problem.channels
        for record in section.records()
        if (accuracy := accuracy_of(record)) is not None
    )


def worst_errors(section: Section, implementation: str) -> dict[str, QuantityError]:
    """Of each quantity the error whose root mean square is the greatest of the section's cells."""
    found: dict[str, QuantityError] = {}
    for accuracy in filter(None, map(accuracy_of, section.records_of(implementation))):
        for quantity, error in accuracy.errors.items():
            found[quantity] = max(found.get(quantity, error), error, key=lambda one: one.rms)
    return found


def quantities(section: Section) -> list[str]:
    """Those that have errors, in the order of `Results`, which a journal does not keep."""
    accuracies = filter(None, map(accuracy_of, section.records()))
    found = {quantity for accuracy in accuracies for quantity in accuracy.errors}
    return [field.name for field in fields(Results) if field.name in found]


def _time(cell: CellArms, record: ThroughputRecord) -> float | None:
    if record.implementation == cell.baseline:
        return 1.0
    ratio = ratio_to_baseline(record)
    return None if ratio is None else ratio.estimate
