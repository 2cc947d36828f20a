"""A session's files, read back by other tools."""

from __future__ import annotations

import json
from dataclasses import replace

import pandas as pd

from harness.environment import Environment
from harness.records import (
    Doubt,
    Identity,
    Interval,
    ModeratedFigures,
    Seconds,
    Status,
    TimedSample,
    TrainingCell,
    TrainingRecord,
    TrainingStep,
    Verdict,
    record_from_plain,
)
from harness.store.export import export
from tests.helpers.records import WHEN, throughput_record

FILES = {
    "config.yaml",
    "environment.json",
    "jobs.jsonl",
    "moderated.jsonl",
    "records.jsonl",
    "samples.parquet",
    "table.parquet",
}
MACHINE = Environment({"cpu": "some"}, {"load": 0.5})
RECIPE = TrainingCell("digits", "mlp", "sgd", 0.5, 64, 1, 1, 0.9, 0, "cpu", 1, "torch_native")


def exported(records, folder):
    export(records, folder, config="seed: 0\n", environment=MACHINE)
    return pd.read_parquet(folder / "samples.parquet")


def trained():
    steps = (TrainingStep(1, 2.0, Seconds(0.1)),)
    identity = Identity("numpy", RECIPE, "source", "machine")
    return TrainingRecord(identity, "s", WHEN, Status.CRASHED, "it died", samples=steps)


def test_what_is_moderated_is_a_line_with_the_records_key(tmp_path):
    ratio = Interval(1.2, 1.1, 1.3)
    figures = ModeratedFigures(ratio, Verdict.SLOWER, 0.01, 0.05, 0.02, 0.03, prior_freedom=6.0)
    export([], tmp_path, config="", environment=MACHINE, moderated={"k": figures})
    [line] = (tmp_path / "moderated.jsonl").read_text().splitlines()
    assert json.loads(line) == {
        "key": "k",
        "ratio": {"estimate": 1.2, "low": 1.1, "high": 1.3},
        "verdict": "SLOWER",
        "p_value": 0.01,
        "minimum_detectable_effect": 0.05,
        "launch_deviation": 0.02,
        "prior_deviation": 0.03,
        "prior_freedom": 6.0,
    }


def test_the_files_hold_what_was_given(tmp_path):
    records = [throughput_record(), throughput_record(status=Status.WRONG)]
    folder = tmp_path / "new"
    paths = export(records, folder, config="seed: 0\n", environment=MACHINE)
    assert set(paths) == set(folder.iterdir())
    assert {path.name for path in paths} == FILES
    assert (folder / "config.yaml").read_text() == "seed: 0\n"
    machine = json.loads((folder / "environment.json").read_text())
    assert (machine["stable"], machine["volatile"]) == ({"cpu": "some"}, {"load": 0.5})
    lines = (folder / "records.jsonl").read_text().splitlines()
    assert [record_from_plain(json.loads(line)) for line in lines] == records


def test_samples_of_all_records_are_one_tidy_table(tmp_path):
    samples = (TimedSample(0, 0, 7, Seconds(0.5)), TimedSample(1, 0, 8, Seconds(1.0)))
    timed, training = replace(throughput_record(), samples=samples), trained()
    table = exported([timed, training], tmp_path)
    assert list(table.columns[:3]) == ["key", "task", "implementation"]
    assert {"launch", "calls", "seconds", "step", "loss"} < set(table.columns)
    assert list(table["key"]) == [timed.key, timed.key, training.key]
    assert set(table["implementation"]) == {"numpy"}
    assert list(table["seconds"]) == [0.5, 1.0, 0.1]


def test_a_field_that_a_task_has_not_is_null_in_its_rows(tmp_path):
    table = exported([throughput_record(), trained()], tmp_path)
    assert pd.isna(table["loss"][0])
    assert pd.isna(table["launch"][1])


def test_lists_are_kept_as_lists(tmp_path):
    sample = TimedSample(0, 0, 1, Seconds(0.5), doubts=(Doubt.STEAL, Doubt.WAITING))
    table = exported([replace(throughput_record(), samples=(sample,))], tmp_path)
    assert list(table["doubts"][0]) == ["steal", "waiting"]


def test_no_sample_at_all_is_an_empty_table(tmp_path):
    assert list(exported([], tmp_path).columns) == ["key", "task", "implementation"]
