"""What a record becomes in MLflow's terms, without MLflow."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlflow.utils import validation

from harness.records import Flag, Record, Status, flat
from harness.tracking.entries import PARAM_LIMIT, entry, legal, shorten, text


@given(st.dictionaries(st.text(), st.integers(), max_size=8))
def test_any_name_becomes_one_that_mlflow_takes_and_none_is_lost(data: dict[str, int]) -> None:
    renamed = legal(data)
    assert list(renamed.values()) == list(data.values())
    for name in renamed:
        validation._validate_param(name, "a value")  # type: ignore[no-untyped-call] # MLflow's own check has no types


def test_a_name_that_mlflow_takes_is_left_alone() -> None:
    assert legal({"ratio.low - a_b:c": 1}) == {"ratio.low - a_b:c": 1}


def test_keys_are_shortened_only_where_they_stay_apart() -> None:
    found = flat(
        {
            "problem": {"dtype": "float32", "shape": [2, 3]},
            "worker": {"dtype": "float64"},
            "seed": 0,
        }
    )
    assert shorten(found) == {
        "problem.dtype": "float32",
        "shape": [2, 3],
        "worker.dtype": "float64",
        "seed": 0,
    }


def test_a_long_value_is_cut_and_says_so() -> None:
    cut = text("x" * 9000)
    assert len(cut) == PARAM_LIMIT
    assert "9000 characters" in cut


def test_parameters_read_as_the_configuration_is_written(
    make_record: Callable[..., Record],
) -> None:
    params = entry(make_record()).params
    assert params["shape"] == "[32, 64, 56, 56]"
    assert params["activation"] == "null"
    assert params["phase"] == "backward"


def test_a_name_tells_the_implementation_the_work_and_the_problem(
    make_record: Callable[..., Record],
) -> None:
    assert entry(make_record()).name == "numpy backward 32×64×56×56 float32 residual"
    training = {"model": "mlp", "dataset": "digits", "seed": 3}
    assert entry(make_record(cell=training)).name == "numpy mlp digits seed 3"
    assert (
        entry(make_record(cell={"case": "nan/stays in its channel"})).name
        == "numpy nan/stays in its channel"
    )
    assert entry(make_record(cell={})).name == "numpy throughput"


def test_tags_are_there_to_filter_by_and_absent_where_they_do_not_apply(
    make_record: Callable[..., Record],
) -> None:
    record = make_record(flags=(Flag.DISTURBED, Flag.UNSTEADY))
    tags = entry(record).tags
    assert tags["task"] == "throughput"
    assert tags["implementation"] == "numpy"
    assert tags["status"] == "OK"
    assert tags["phase"] == "backward"
    assert tags["session"] == "session-1"
    assert tags["key"] == record.key
    assert tags["verdict"] == "FASTER"
    assert tags["stopped"] == "budget"
    assert tags["flags"] == "DISTURBED, UNSTEADY"
    assert "reason" not in tags
    assert (
        not {"verdict", "flags", "phase"}
        & entry(make_record(Status.WRONG, cell={"case": "a"})).tags.keys()
    )


def test_a_failure_has_a_reason_and_no_figure(make_record: Callable[..., Record]) -> None:
    said = entry(make_record(Status.CRASHED, cost={"preparation": 1.5}))
    assert said.tags["reason"] == "it was CRASHED"
    assert said.metrics == [("cost.preparation", 1.5, 0)]


def test_a_documented_deviation_is_wrong_with_its_explanation_and_did_not_fail(
    make_record: Callable[..., Record],
) -> None:
    said = entry(make_record(Status.WRONG, explanation="it sums in float32"))
    assert (said.status, said.tags["status"], said.tags["explanation"]) == (
        "FINISHED",
        "WRONG",
        "it sums in float32",
    )
    assert "explanation" not in entry(make_record(Status.WRONG)).tags


def test_a_comparison_that_proves_too_little_can_be_filtered_by_its_flag(
    make_record: Callable[..., Record],
) -> None:
    figures = {
        "worst": 0.25,
        "quantity": "output",
        "index": [0, 3],
        "ulp": None,
        "mistrusted": ["output"],
    }
    said = entry(make_record(cell={"case": "data/vast"}, flags=(Flag.MISTRUSTED,), figures=figures))
    assert said.tags["flags"] == "MISTRUSTED"
    assert said.metrics == [("worst", 0.25, 0)]


def test_what_is_no_finite_number_is_no_metric(make_record: Callable[..., Record]) -> None:
    figures = {"a": math.nan, "b": math.inf, "c": None, "d": True, "e": "word", "f": [1, 2], "g": 0}
    assert entry(make_record(figures=figures)).metrics == [("g", 0.0, 0)]


def test_a_step_that_was_timed_has_its_samples_per_second(
    make_record: Callable[..., Record],
) -> None:
    record = make_record(
        cell={"batch": 64}, samples=[{"step": 1, "seconds": 0.5}, {"step": 2, "seconds": None}]
    )
    assert [point for point in entry(record).metrics if point[0] == "samples_per_second"] == [
        ("samples_per_second", 128.0, 1)
    ]


def test_samples_with_a_step_become_curves_and_others_do_not(
    make_record: Callable[..., Record],
) -> None:
    samples = [
        {"step": 1, "loss": 2.0, "accuracy": None},
        {"step": 2, "loss": 1.0, "accuracy": 0.5},
        {"launch": 0, "seconds": 0.1},
    ]
    assert entry(make_record(figures={}, samples=samples)).metrics == [
        ("loss", 2.0, 1),
        ("loss", 1.0, 2),
        ("accuracy", 0.5, 2),
    ]


@pytest.mark.parametrize(
    ("status", "end"),
    [
        (Status.OK, "FINISHED"),
        (Status.UNSUPPORTED, "FINISHED"),
        (Status.UNAVAILABLE, "FINISHED"),
        (Status.WRONG, "FAILED"),
        (Status.CRASHED, "FAILED"),
        (Status.TIMEOUT, "FAILED"),
    ],
)
def test_the_end_state_says_whether_the_implementation_failed(
    make_record: Callable[..., Record], status: Status, end: str
) -> None:
    assert entry(make_record(status)).status == end
