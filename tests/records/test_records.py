"""Only OK carries figures, and a key changes exactly when the measurement does."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from harness.records import (
    SCHEMA,
    Accuracy,
    ArmSetting,
    CaseRecord,
    Flag,
    InvalidDataError,
    NewerSchemaError,
    QuantityError,
    Seconds,
    Status,
    ThroughputRecord,
    plain_fields,
    record_from_plain,
    record_to_plain,
    to_json,
)
from tests.helpers.records import FIGURES, WHEN, case_record, identity, throughput_record

NOT_OK = [status for status in Status if status is not Status.OK]
NOT_WRONG = [status for status in Status if status is not Status.WRONG]


@pytest.mark.parametrize("status", NOT_OK)
def test_a_failure_has_a_reason_and_no_figures(status):
    assert ThroughputRecord(identity(), "s", WHEN, status, "why").figures is None
    with pytest.raises(ValueError, match="has no figures"):
        ThroughputRecord(identity(), "s", WHEN, status, "why", figures=FIGURES)
    with pytest.raises(ValueError, match="needs a reason"):
        ThroughputRecord(identity(), "s", WHEN, status)


@pytest.mark.parametrize("status", Status)
def test_a_failure_is_what_the_implementation_is_to_blame_for(status):
    blamed = {Status.WRONG, Status.CRASHED, Status.TIMEOUT}
    assert throughput_record(status=status).failed is (status in blamed)


def test_a_deviation_that_is_documented_is_wrong_and_no_failure():
    record = case_record(status=Status.WRONG, explanation="it sums in float32")
    assert record.status.failed
    assert not record.failed


@pytest.mark.parametrize("status", NOT_WRONG)
def test_only_what_is_wrong_can_be_explained(status):
    with pytest.raises(ValueError, match=f"{status} has nothing to explain"):
        case_record(status=status, explanation="known")


RECORDS = [
    throughput_record(),
    throughput_record(status=Status.CRASHED),
    case_record(),
    case_record(status=Status.WRONG, explanation="it sums in float32"),
    case_record(flags=(Flag.MISTRUSTED,)),
]


@pytest.mark.parametrize("record", RECORDS)
def test_a_record_is_read_back_as_it_was_written(record):
    read = record_from_plain(json.loads(to_json(record_to_plain(record))))
    assert read == record
    assert read.key == record.key


def test_a_record_of_the_first_schema_is_read_and_one_of_a_later_is_refused():
    data = record_to_plain(case_record(status=Status.WRONG))
    old = {key: value for key, value in data.items() if key != "explanation"} | {"schema": 1}
    assert record_from_plain(old).failed
    with pytest.raises(NewerSchemaError, match="upgrade"):
        record_from_plain(data | {"schema": SCHEMA + 1})


def test_a_cell_that_lacks_todays_fields_keeps_the_key_that_it_was_written_with():
    data = json.loads(to_json(record_to_plain(throughput_record())))
    del data["identity"]["cell"]["inputs"]
    read = record_from_plain(data)
    assert isinstance(read, ThroughputRecord)
    assert read.cell.inputs == "normal"
    assert read.key != throughput_record().key
    assert read.key == record_from_plain(data).key


def test_a_bound_of_the_error_is_of_the_cell_and_without_one_keys_are_as_they_were():
    without = throughput_record()
    written = json.loads(to_json(record_to_plain(without)))
    assert "accuracy" not in written["identity"]["cell"]
    assert throughput_record(accuracy=1e-5).key != without.key
    assert throughput_record(accuracy=None).key == without.key


def test_a_record_of_before_errors_were_kept_is_read_without_any():
    error = QuantityError(rms=1e-7, largest=1e-6, ulp=8.0, scale=2.0)
    accuracy = Accuracy(3, {"output": error})
    record = throughput_record(figures=replace(FIGURES, accuracy=accuracy))
    data = json.loads(to_json(record_to_plain(record)))
    read = record_from_plain(data)
    assert isinstance(read, ThroughputRecord)
    assert read == record
    del data["figures"]["accuracy"]
    before = record_from_plain(data)
    assert isinstance(before, ThroughputRecord)
    assert before.figures == FIGURES
    assert before.schema == SCHEMA


def test_whatever_defines_a_case_is_written_beside_its_name():
    cell = replace(case_record().cell, definition={"eps": 0.5, "shape": [2, 3]})
    record = replace(case_record(), identity=replace(case_record().identity, cell=cell))
    data = json.loads(to_json(record_to_plain(record)))
    assert data["identity"]["cell"]["eps"] == 0.5
    assert record_from_plain(data).cell == cell


SPOILED = {
    "a word for a number": ("figures", {"median_seconds": "fast"}),
    "a status that there is not": ("status", "SLEEPY"),
    "figures that are none": ("figures", {}),
    "a sample without its calls": ("samples", [{"launch": 0}]),
    "a number for a session": ("session", 7),
}


@pytest.mark.parametrize("name", SPOILED)
def test_what_is_no_record_is_refused_with_the_place_of_the_fault(name):
    field, value = SPOILED[name]
    with pytest.raises(InvalidDataError, match="not a valid "):
        record_from_plain({**record_to_plain(throughput_record()), field: value})


def test_a_record_of_no_known_task_is_refused():
    data = json.loads(to_json(record_to_plain(throughput_record())))
    identity_data = {**data["identity"], "task": "alchemy"}
    with pytest.raises(
        InvalidDataError, match="unknown task 'alchemy'; this version knows throughput, "
    ):
        record_from_plain({**data, "identity": identity_data})


def test_an_ok_record_has_figures():
    with pytest.raises(ValueError, match="needs figures"):
        CaseRecord(case_record().identity, "s", WHEN, Status.OK)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_no_nan_and_no_infinity_reach_the_disk(bad):
    figures = replace(FIGURES, median_seconds=Seconds(bad))
    with pytest.raises(ValueError, match="JSON"):
        to_json(record_to_plain(throughput_record(figures=figures)))


SETTING = ArmSetting("fused_cpu", variables={"BNBENCH_ISA": "v3"}, versions={"torch": "2.12"})
SETTINGS = {
    "a label": ArmSetting("numpy"),
    "another label": ArmSetting("fused_cpu"),
    "variables": ArmSetting("fused_cpu", variables={"BNBENCH_ISA": "v3"}),
    "versions": SETTING,
    "instruction sets": replace(SETTING, instruction_sets={"fused_cpu": "v3"}),
    "an interpreter": replace(SETTING, python="../bin/python"),
    "a path": replace(SETTING, path="../base"),
}


def test_what_was_recorded_before_arms_had_settings_keeps_its_key():
    assert identity().key == "003df209d3fc3b58"  # as bnbench had it then
    assert "arm" not in plain_fields(identity())


def test_whatever_an_arm_stands_for_changes_its_key_and_leaves_its_cells():
    made = [replace(identity(), arm=setting) for setting in (None, *SETTINGS.values())]
    assert len({one.key for one in made}) == len(made)
    assert {one.cell_key for one in made} == {identity().cell_key}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_record_of_such_an_arm_is_read_back_as_it_was_written(name):
    record = throughput_record()
    record = replace(record, identity=replace(record.identity, arm=SETTINGS[name]))
    read = record_from_plain(json.loads(to_json(record_to_plain(record))))
    assert read == record
    assert read.key == record.key


CHANGES = [{"name": "torch_native"}, {"source": "edited"}, {"environment": "else"}, {"threads": 2}]


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_defines_a_measurement_changes_its_key(change):
    assert identity(**change).key != identity().key


def test_arms_of_one_cell_share_the_cells_key():
    assert identity("torch_native", source="other").cell_key == identity().cell_key


def test_a_records_time_and_session_are_not_part_of_its_key():
    record = throughput_record()
    assert replace(record, session="b", time="later").key == record.key
