"""Only OK carries figures, and a key changes exactly when the measurement does."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from harness.records import SCHEMA, Flag, Identity, NewerSchemaError, Record, Status

IDENTITY = Identity("throughput", "numpy", {"phase": "backward", "threads": 1}, "source", "machine")
WHEN = "2026-01-01T00:00:00+00:00"


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.OK])
def test_a_failure_has_a_reason_and_no_figures(status):
    assert Record(IDENTITY, "s", WHEN, status, "why").figures is None
    with pytest.raises(ValueError, match="has no figures"):
        Record(IDENTITY, "s", WHEN, status, "why", figures={"median_seconds": 0.0})
    with pytest.raises(ValueError, match="needs a reason"):
        Record(IDENTITY, "s", WHEN, status)


@pytest.mark.parametrize("status", Status)
def test_a_failure_is_what_the_implementation_is_to_blame_for(status):
    figures = {} if status is Status.OK else None
    record = Record(IDENTITY, "s", WHEN, status, "why", figures=figures)
    assert record.failed is (status in {Status.WRONG, Status.CRASHED, Status.TIMEOUT})


def test_a_deviation_that_is_documented_is_wrong_and_no_failure():
    record = Record(IDENTITY, "s", WHEN, Status.WRONG, "off by 3", explanation="it sums in float32")
    assert record.status.failed
    assert not record.failed


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.WRONG])
def test_only_what_is_wrong_can_be_explained(status):
    with pytest.raises(ValueError, match=f"{status} has nothing to explain"):
        Record(
            IDENTITY,
            "s",
            WHEN,
            status,
            "why",
            figures={} if status is Status.OK else None,
            explanation="known",
        )


@pytest.mark.parametrize(
    "record",
    [
        Record(
            IDENTITY,
            "s",
            WHEN,
            Status.WRONG,
            "off by 3",
            explanation="it sums in float32",
            samples=[{"ratio": None}],
        ),
        Record(
            IDENTITY,
            "s",
            WHEN,
            Status.OK,
            flags=(Flag.MISTRUSTED,),
            figures={"mistrusted": ["output"]},
        ),
    ],
)
def test_a_record_is_read_back_as_it_was_written(record):
    assert Record.from_data(json.loads(record.to_json())) == record


def test_a_record_of_the_first_schema_is_read_and_one_of_a_later_is_refused():
    data = json.loads(Record(IDENTITY, "s", WHEN, Status.WRONG, "why").to_json())
    old = {key: value for key, value in data.items() if key != "explanation"} | {"schema": 1}
    assert Record.from_data(old).failed
    with pytest.raises(NewerSchemaError, match="upgrade"):
        Record.from_data(data | {"schema": SCHEMA + 1})


def test_an_ok_record_has_figures():
    with pytest.raises(ValueError, match="needs figures"):
        Record(IDENTITY, "s", WHEN, Status.OK)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_no_nan_and_no_infinity_reach_the_disk(bad):
    with pytest.raises(ValueError, match="JSON"):
        Record(IDENTITY, "s", WHEN, Status.OK, figures={"median_seconds": bad}).to_json()


@pytest.mark.parametrize(
    "change",
    [
        {"task": "convergence"},
        {"implementation": "torch_native"},
        {"source": "edited"},
        {"environment": "elsewhere"},
        {"cell": {"phase": "backward", "threads": 2}},
    ],
)
def test_whatever_defines_a_measurement_changes_its_key(change):
    assert replace(IDENTITY, **change).key != IDENTITY.key


def test_the_order_in_which_a_cell_is_written_does_not():
    assert replace(IDENTITY, cell={"threads": 1, "phase": "backward"}).key == IDENTITY.key


def test_arms_of_one_cell_share_the_cells_key():
    assert (
        replace(IDENTITY, implementation="torch_native", source="other").cell_key
        == IDENTITY.cell_key
    )


def test_a_records_time_and_session_are_not_part_of_its_key():
    records = [
        Record(IDENTITY, session, time, Status.WRONG, "why")
        for session, time in (("a", WHEN), ("b", "later"))
    ]
    assert records[0].key == records[1].key
