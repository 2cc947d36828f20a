"""What a record becomes in MLflow's terms, without MLflow."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlflow.utils import validation

from harness.records import (
    AnyRecord,
    CaseFigures,
    Cost,
    Flag,
    Interval,
    Seconds,
    Status,
    TimedSample,
    TrainingStep,
    flat,
)
from harness.tracking.entries import PARAM_LIMIT, entry, legal, shorten, text
from tests.helpers.made_records import (
    THROUGHPUT_FIGURES,
    case_record,
    throughput_record,
    training_record,
)

COST = Cost(prepare_seconds=Seconds(1.5))


@given(st.dictionaries(st.text(), st.integers(), max_size=8))
def test_any_name_becomes_one_that_mlflow_takes_and_none_is_lost(data: dict[str, int]) -> None:
    renamed = legal(data)
    assert list(renamed.values()) == list(data.values())
    for name in renamed:
        validation._validate_param(name, "a value")


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


def test_parameters_read_as_the_configuration_is_written() -> None:
    params = entry(throughput_record()).params
    assert params["shape"] == "[32, 64, 56, 56]"
    assert params["activation"] == "null"
    assert params["phase"] == "backward"


def test_a_name_has_the_implementation_the_work_and_the_problem() -> None:
    assert entry(throughput_record()).name == "numpy backward 32×64×56×56 float32 residual"
    assert entry(training_record(seed=3)).name == "numpy mlp digits seed 3"
    case = case_record("nan/stays in its channel")
    assert entry(case).name == "numpy nan/stays in its channel"


def test_tags_are_there_to_filter_by_and_absent_where_they_do_not_apply() -> None:
    record = throughput_record(flags=(Flag.DISTURBED, Flag.UNSTEADY))
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
    wrong = case_record(status=Status.WRONG)
    assert not {"verdict", "flags", "phase"} & entry(wrong).tags.keys()


def test_a_failure_has_a_reason_and_no_figure() -> None:
    logged = entry(throughput_record(status=Status.CRASHED, cost=COST))
    assert logged.tags["reason"] == "it was CRASHED"
    assert logged.metrics == [("cost.prepare_seconds", 1.5, 0)]


def test_a_documented_deviation_is_wrong_with_its_explanation_and_did_not_fail() -> None:
    logged = entry(case_record(status=Status.WRONG, explanation="it sums in float32"))
    assert (logged.status, logged.tags["status"], logged.tags["explanation"]) == (
        "FINISHED",
        "WRONG",
        "it sums in float32",
    )
    assert "explanation" not in entry(case_record(status=Status.WRONG)).tags


def test_a_comparison_that_proves_too_little_can_be_filtered_by_its_flag() -> None:
    figures = CaseFigures(0.25, "output", (0, 3), None, comparisons=2, mistrusted=("output",))
    logged = entry(case_record("data/vast", flags=(Flag.MISTRUSTED,), figures=figures))
    assert logged.tags["flags"] == "MISTRUSTED"
    assert logged.metrics == [("worst", 0.25, 0), ("comparisons", 2.0, 0)]


def test_what_is_no_finite_number_is_no_metric() -> None:
    figures = replace(
        THROUGHPUT_FIGURES,
        median_seconds=Seconds(math.nan),
        p_value=math.inf,
        ratio=None,
        canary=Interval(1.0, 0.5, math.inf),
        launches=2,
    )
    assert entry(throughput_record(figures=figures)).metrics == [
        ("canary.estimate", 1.0, 0),
        ("canary.low", 0.5, 0),
        ("launches", 2.0, 0),
        ("blocks", 0.0, 0),
        ("calls", 0.0, 0),
        ("unsteady_launches", 0.0, 0),
    ]


def points(record: AnyRecord, *names: str) -> list[tuple[str, float, int]]:
    return [point for point in entry(record).metrics if point[0] in names]


def test_a_step_that_was_timed_has_its_samples_per_second() -> None:
    steps = TrainingStep(1, 2.0, Seconds(0.5)), TrainingStep(2, 1.0, None)
    record = replace(training_record(), samples=steps)
    assert points(record, "samples_per_second") == [("samples_per_second", 128.0, 1)]


def test_steps_of_a_training_become_curves_and_timed_samples_do_not() -> None:
    steps = TrainingStep(1, 2.0, None), TrainingStep(2, 1.0, None, accuracy=0.5)
    record = replace(training_record(), samples=steps)
    assert points(record, "loss", "accuracy", "step") == [
        ("loss", 2.0, 1),
        ("loss", 1.0, 2),
        ("accuracy", 0.5, 2),
    ]
    sample = TimedSample(0, 0, calls=1, seconds=Seconds(0.1))
    assert entry(throughput_record(samples=(sample,))) == entry(throughput_record())


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
def test_the_end_state_says_whether_the_implementation_failed(status: Status, end: str) -> None:
    assert entry(throughput_record(status=status)).status == end
