"""What was not asked is known by property, and what nothing is known of comes first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.analysis.unasked import (
    EVERYTHING,
    asked_otherwise,
    outdated_deviations,
    unasked_properties,
)
from harness.records import CaseRecord, Status
from tests.helpers.synthetic import case


def noted(name: str, **notes: Any) -> CaseRecord:
    record = case("numpy", name)
    assert record.figures is not None
    return replace(record, figures=replace(record.figures, **notes))


def test_a_property_with_no_case_asked_is_whole_and_comes_first() -> None:
    refused = Status.UNSUPPORTED
    records = [
        case("numpy", "one/0"),
        case("numpy", "one/1", refused),
        case("numpy", "two/0", refused),
        case("numpy", "two/1", refused),
        case("torch_native", "one/0"),
        case("absent", "one/0", Status.UNAVAILABLE),
    ]
    whole, part = unasked_properties(records)
    assert (whole.label, whole.refused, whole.cases, whole.whole) == ("two", 2, 2, True)
    assert (part.label, part.refused, part.cases, part.whole) == ("one", 1, 2, False)
    assert whole.reasons == part.reasons == (records[1].reason,)


def test_an_implementation_of_which_nothing_was_asked_is_told_once() -> None:
    records = [case("numpy", f"{group}/0", Status.UNSUPPORTED) for group in ("one", "two")]
    (found,) = unasked_properties(records)
    assert (found.label, found.refused, found.cases) == (EVERYTHING, 2, 2)


def test_what_was_asked_otherwise_and_what_is_out_of_date_stand_by_their_notes() -> None:
    records = [
        noted("one/0", refusal="no residual", asked="this instead of that"),
        noted("one/1", refusal="no residual", asked="this instead of that"),
        noted("one/2", outdated="it was odd"),
        noted("one/3"),
    ]
    (otherwise,) = asked_otherwise(records)
    assert (otherwise.note, otherwise.records) == ("no residual", tuple(records[:2]))
    (outdated,) = outdated_deviations(records)
    assert (outdated.note, outdated.records) == ("it was odd", (records[2],))
