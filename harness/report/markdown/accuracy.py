"""Tables of errors against float64."""

from __future__ import annotations

from harness import formatting
from harness.analysis.accuracy import front_counts, has_sampled_errors, quantities, worst_errors
from harness.analysis.sections import Section
from harness.report import phrases


def table(section: Section) -> str | None:
    """A row an implementation, a column a quantity: its greatest error over the cells. None where
    no record has any.
    """
    columns = quantities(section)
    if not columns:
        return None
    rows = []
    for name in section.implementations:
        own = worst_errors(section, name)
        entries = [
            phrases.error(own[quantity]) if quantity in own else formatting.ABSENT
            for quantity in columns
        ]
        rows.append([formatting.code(name), *entries])
    header = ["implementation", *map(formatting.code, columns)]
    return formatting.columns(header, rows)


def fronts(section: Section) -> str:
    """In how many cells no arm beats an implementation in both error and time."""
    cells = len(section.cells)
    counts = front_counts(section)
    return formatting.listed(
        f"{formatting.code(name)} in {count} of {formatting.counted(cells, 'cell')}"
        for name, count in counts.items()
    )


def channels(section: Section) -> str:
    """Over which channels the errors are."""
    return "a sample of channels" if has_sampled_errors(section) else "all channels"
