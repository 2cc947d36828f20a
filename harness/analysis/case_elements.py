"""The worst element of a conformance case."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from harness.records import CaseRecord, ComparedQuantity


@dataclass(frozen=True)
class WorstElement:
    """The element of ``quantity`` with the largest ``ratio`` of error to tolerance, None beyond all
    numbers; ``ulp`` is its error in units in the last place, ``fault`` what is wrong beyond a
    number.
    """

    quantity: str
    index: tuple[int, ...]
    ratio: float | None
    ulp: float | None
    fault: str | None = None


def worst_element(record: CaseRecord) -> WorstElement | None:
    """Of an OK record what its figures hold; else of the quantity farthest out, None where none was
    compared.
    """
    found = record.figures
    if found is not None:
        return WorstElement(found.quantity, found.index, found.worst, found.ulp)
    sample = max(record.samples, key=_distance, default=None)
    if sample is None:
        return None
    return WorstElement(sample.quantity, sample.index, sample.ratio, sample.ulp, sample.fault)


def _distance(sample: ComparedQuantity) -> tuple[bool, float]:
    return bool(sample.fault), inf if sample.ratio is None else sample.ratio
