"""A session's files, read back by other tools."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from harness.records import Record, Status
from harness.session.export import export


def test_the_files_hold_what_was_given(tmp_path: Path, make_record: Callable[..., Record]) -> None:
    records = [make_record(), make_record(Status.WRONG)]
    paths = export(records, tmp_path / "new", config="seed: 0\n", environment={"cpu": "some"})
    folder = tmp_path / "new"
    assert set(paths) == set(folder.iterdir())
    assert {path.name for path in paths} == {
        "config.yaml",
        "environment.json",
        "jobs.jsonl",
        "records.jsonl",
        "samples.parquet",
    }
    assert (folder / "config.yaml").read_text() == "seed: 0\n"
    assert json.loads((folder / "environment.json").read_text()) == {"cpu": "some"}
    lines = (folder / "records.jsonl").read_text().splitlines()
    assert [Record.from_data(json.loads(line)) for line in lines] == records


def test_samples_of_all_records_are_one_tidy_table(
    tmp_path: Path, make_record: Callable[..., Record]
) -> None:
    timed = make_record(
        samples=[{"launch": 0, "calls": 7, "seconds": 0.5}, {"launch": 1, "calls": 8, "seconds": 1}]
    )
    trained = make_record(
        cell={"model": "mlp"}, samples=[{"step": 1, "loss": 2.0, "accuracy": None}]
    )
    export([timed, trained, make_record(Status.CRASHED)], tmp_path, config="", environment={})
    table = pd.read_parquet(tmp_path / "samples.parquet")
    assert list(table.columns) == [
        "key",
        "task",
        "implementation",
        "launch",
        "calls",
        "seconds",
        "step",
        "loss",
        "accuracy",
    ]
    assert list(table["key"]) == [timed.key, timed.key, trained.key]
    assert set(table["implementation"]) == {"numpy"}
    assert list(table["seconds"][:2]) == [0.5, 1.0]
    assert table["accuracy"].isna().all()
    assert pd.isna(table["seconds"][2])


def test_values_that_share_no_type_are_kept_as_json(
    tmp_path: Path, make_record: Callable[..., Record]
) -> None:
    samples = [{"value": 1}, {"value": "one"}, {"value": {"nested": 2}}, {}]
    export([make_record(samples=samples)], tmp_path, config="", environment={})
    values = pd.read_parquet(tmp_path / "samples.parquet")["value"]
    assert [None if pd.isna(value) else json.loads(value) for value in values] == [
        1,
        "one",
        {"nested": 2},
        None,
    ]


def test_no_sample_at_all_is_an_empty_table(tmp_path: Path) -> None:
    export([], tmp_path, config="", environment={})
    assert list(pd.read_parquet(tmp_path / "samples.parquet").columns) == [
        "key",
        "task",
        "implementation",
    ]
