"""What is read of a recorded run, and what of it is refused."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from harness.analysis.completeness import Completeness
from harness.config import (
    Config,
    ConvergenceConfig,
    DeviceConfig,
    ProblemConfig,
    TrackingConfig,
    UsageError,
)
from harness.config.restoring import restored
from harness.environment import Environment
from harness.records import Status, TrainingRecord, record_to_plain, to_json
from harness.replay import recorded_runs
from harness.store import Journal, Plan, SessionStart
from tests.helpers.made_records import training_record

ENVIRONMENT = Environment({"python": "3"}, {"load": 0.1})


def config(results: Path) -> Config:
    return Config(
        task=ConvergenceConfig(),
        problem=ProblemConfig(),
        device=DeviceConfig(threads=1),
        tracking=TrackingConfig(enabled=False),
        results=str(results),
        journal=str(results / "journal"),
    )


def line(record: TrainingRecord) -> str:
    return to_json(record_to_plain(record)) + "\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A session's, of two seeds."""
    records = [training_record(seed=0), training_record(seed=1)]
    job = {"keys": [one.key for one in records], "config": {"task": {"name": "convergence"}}}
    (tmp_path / "records.jsonl").write_text("".join(map(line, records)))
    (tmp_path / "jobs.jsonl").write_text(json.dumps(job) + "\n")
    (tmp_path / "environment.json").write_text(json.dumps(ENVIRONMENT.to_data()))
    return tmp_path


def found(folder: Path) -> tuple[list[recorded_runs.Original], list[Completeness]]:
    announced: list[Completeness] = []
    return recorded_runs.find(str(folder), config(folder), announced.append), announced


def test_a_folder_is_all_that_it_takes(folder: Path) -> None:
    originals, announced = found(folder)
    assert [one.record for one in originals] == [training_record(seed=0), training_record(seed=1)]
    assert [one.environment for one in originals] == [ENVIRONMENT, ENVIRONMENT]
    assert announced == [Completeness(planned=2, missing=0)]


def test_what_was_planned_and_never_made_is_announced(folder: Path) -> None:
    (folder / "records.jsonl").write_text(line(training_record(seed=0)))
    originals, announced = found(folder)
    assert len(originals) == 1
    assert announced == [Completeness(planned=2, missing=1)]


def test_a_record_that_no_job_planned_is_not_passed_over(folder: Path) -> None:
    with (folder / "records.jsonl").open("a") as file:
        file.write(line(training_record(seed=2)))
    with pytest.raises(UsageError, match=f"{training_record(seed=2).key}; the folder is not as"):
        found(folder)


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        (
            "records.jsonl",
            lambda text: text + '{"torn',
            r"records\.jsonl, line 3: this is not what a session wrote",
        ),
        (
            "records.jsonl",
            lambda text: text.replace('"OK"', '"GOOD"'),
            r"records\.jsonl, line 1.*GOOD",
        ),
        (
            "records.jsonl",
            lambda text: text.replace("2.0", "NaN"),
            "NaN is no number that is ever written",
        ),
        (
            "records.jsonl",
            lambda text: text.replace('"loss"', '"lost"'),
            r"records\.jsonl, line 1.*missing required field `loss`",
        ),
        (
            "records.jsonl",
            lambda text: text.replace('"data_sha256"', '"data"'),
            "this one lacks some",
        ),
        ("environment.json", lambda _: "x", r"environment\.json: this is not"),
        ("environment.json", lambda _: "{}", r"environment\.json.*stable"),
        ("jobs.jsonl", lambda _: "[]", r"jobs\.jsonl, line 1"),
        ("jobs.jsonl", lambda text: text.replace("task", "tusk"), r"jobs\.jsonl, line 1.*task"),
    ],
)
def test_a_file_that_no_session_wrote_is_refused_by_name(
    folder: Path, file: str, change: Any, message: str
) -> None:
    path = folder / file
    path.write_text(change(path.read_text()))
    with pytest.raises(UsageError, match=message):
        found(folder)


def test_a_key_means_the_record_that_was_first_ok_and_not_its_replay(tmp_path: Path) -> None:
    here = config(tmp_path)
    journal = Journal(here.journal)
    for session, status in (
        ("failed", Status.CRASHED),
        ("first", Status.OK),
        ("replay", Status.OK),
    ):
        record = training_record(status=status, session=session)
        job = {"task": {"name": "convergence"}}
        journal.begin(SessionStart(session, environment=ENVIRONMENT))
        journal.plan(Plan(session, "job", "convergence", job, (record.key,)))
        journal.append(record)
    [one] = recorded_runs.find(training_record().key, here, lambda _: None)
    assert one.record.session == "first"


@pytest.mark.parametrize("word", ["${oc.env:HOME}", "${results}"])
def test_nothing_in_a_recorded_configuration_is_looked_up(tmp_path: Path, word: str) -> None:
    written = asdict(config(tmp_path))
    written["task"]["dataset"] = word
    with pytest.raises(UsageError, match="nothing is looked up"):
        restored(written)
