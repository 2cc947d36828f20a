"""What is read of a run that was written down, and what of it is refused."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from harness.config import (
    Config,
    ConvergenceConfig,
    DeviceConfig,
    ProblemConfig,
    TrackingConfig,
    UsageError,
)
from harness.config.restoring import restored
from harness.records import Identity, Record, Status
from harness.replay import recorded_runs
from harness.store import Journal, Plan

HASHES = dict.fromkeys(
    ("data_sha256", "initial_sha256", "losses_sha256", "parameters_sha256"), "0" * 64
)
ENVIRONMENT = {"stable": {"python": "3"}, "volatile": {"load": 0.1}, "fingerprint": "here"}


def config(results: Path) -> Config:
    return Config(
        task=ConvergenceConfig(),
        problem=ProblemConfig(),
        device=DeviceConfig(threads=1),
        tracking=TrackingConfig(enabled=False),
        results=str(results),
        journal=str(results / "journal"),
    )


def record(seed: int = 0, status: Status = Status.OK, session: str = "first") -> Record:
    figures = {**HASHES, "final_accuracy": 0.9} if status is Status.OK else None
    identity = Identity("convergence", "numpy", {"seed": seed}, "source", "here")
    return Record(
        identity,
        session,
        "t",
        status,
        None if figures else "it fell over",
        (),
        figures,
        [{"step": 1, "loss": 2.0}],
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A session's, of two seeds."""
    records = [record(0), record(1)]
    job = {"keys": [one.key for one in records], "config": {"task": {"name": "convergence"}}}
    (tmp_path / "records.jsonl").write_text("".join(one.to_json() + "\n" for one in records))
    (tmp_path / "jobs.jsonl").write_text(json.dumps(job) + "\n")
    (tmp_path / "environment.json").write_text(json.dumps(ENVIRONMENT))
    return tmp_path


def found(folder: Path) -> tuple[list[recorded_runs.Original], list[str]]:
    said: list[str] = []
    return recorded_runs.find(str(folder), config(folder), said.append), said


def test_a_folder_is_all_that_it_takes(folder: Path) -> None:
    there, said = found(folder)
    assert [one.record for one in there] == [record(0), record(1)]
    assert said == []


def test_what_was_planned_and_never_made_is_told(folder: Path) -> None:
    (folder / "records.jsonl").write_text(record(0).to_json() + "\n")
    there, said = found(folder)
    assert len(there) == 1
    assert said == [
        (
            "1 of 2 planned records were never made, since the session was cut short, and are not "
            "replayed"
        )
    ]


def test_a_record_that_no_job_planned_is_not_passed_over(folder: Path) -> None:
    with (folder / "records.jsonl").open("a") as file:
        file.write(record(2).to_json() + "\n")
    with pytest.raises(UsageError, match=f"{record(2).key}; it is not as the session left it"):
        found(folder)


@pytest.mark.parametrize(
    ("file", "change", "said"),
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
        ("records.jsonl", lambda text: text.replace('"loss"', '"lost"'), "this one lacks some"),
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
    folder: Path, file: str, change: Any, said: str
) -> None:
    path = folder / file
    path.write_text(change(path.read_text()))
    with pytest.raises(UsageError, match=said):
        found(folder)


def test_a_key_means_the_record_that_was_first_ok_and_not_its_replay(tmp_path: Path) -> None:
    here = config(tmp_path)
    journal = Journal(here.journal)
    for session, status in (
        ("failed", Status.CRASHED),
        ("first", Status.OK),
        ("replay", Status.OK),
    ):
        journal.begin(session, time="t", command=[], environment=ENVIRONMENT, config={})
        journal.plan(
            Plan(session, "job", "convergence", {"task": {"name": "convergence"}}, (record().key,))
        )
        journal.append(record(0, status, session))
    [one] = recorded_runs.find(record().key, here, lambda _: None)
    assert one.record.session == "first"


@pytest.mark.parametrize("word", ["${oc.env:HOME}", "${results}"])
def test_nothing_in_a_recorded_configuration_is_looked_up(tmp_path: Path, word: str) -> None:
    written = asdict(config(tmp_path))
    written["task"]["dataset"] = word
    with pytest.raises(UsageError, match="nothing is looked up"):
        restored(written)
