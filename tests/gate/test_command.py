"""The command `bnbench gate`, with made-up measurements: its verdict, status and files; and what it
refuses.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.analysis.gate_counts import GateCount
from harness.cli import gate
from harness.instruction_counts import Agreement
from harness.isolation import Arm
from harness.isolation.lock_holders import SESSION
from harness.isolation.place_facts import PlaceFacts
from harness.records import Status
from harness.store import Journal, Plan
from tests.gate.conftest import MadeRepository
from tests.helpers.commands import Ran, run_here
from tests.helpers.gate_facts import records, renamed

WORDS = (
    "gate.build=cp *.py {folder}",
    "implementations=[{_target_: my_bn.Mine}]",
    "tracking=none",
    "device.threads=1",
)
Measure = Callable[..., None]


def answer(_: object, arm: Arm) -> PlaceFacts:
    folder = arm.place.path
    return PlaceFacts({}, {}, "source", None, (str(Path(folder) / "my_bn.py"), folder))


@pytest.fixture
def measured(repository: Any, monkeypatch: pytest.MonkeyPatch) -> Measure:
    """Say what the next gate measures: ratios of times, and statuses."""

    def measure(*given: Any, **about: Any) -> None:
        def run_job(config: Any, job: str, _: Any) -> None:
            session, journal = os.environ[SESSION], Journal(config.journal)
            made = renamed(records(*given, session=session, **about), base="base")
            keys = tuple(one.key for one in made)
            journal.plan(Plan(session, job, "throughput", {}, keys))
            for one in made:
                journal.append(one)

        monkeypatch.setattr(gate, "run_job", run_job)

    monkeypatch.setattr(gate, "_ask", answer)
    monkeypatch.setattr(gate, "task_of", lambda _: SimpleNamespace(plan=lambda *_: []))
    measure()
    return measure


def gated(*words: str) -> Ran:
    return run_here("gate", "main", *WORDS, *words)


@pytest.mark.parametrize(
    ("given", "status", "verdict"),
    [
        (((1.0, 1.0),), 0, "PASSED"),
        (((1.0, 1.2),), 1, "REGRESSION"),
        (((1.0,), {"head": Status.CRASHED}), 1, "REGRESSION"),
        (((1.0,), {"base": Status.CRASHED}), 0, "PASSED"),
    ],
)
def test_it_ends_with_the_status_of_its_verdict(measured, given, status, verdict):
    measured(*given)
    ran = gated()
    assert (ran.returncode, ran.stdout.split()[0]) == (status, verdict), ran.stderr
    [page] = Path("bnbench-results/reports").glob("*/gate.md")
    assert f"bnbench gate: {verdict}" in page.read_text()
    assert (page.parent / "report.md").exists()


def test_noise_leaves_it_undecided(measured):
    measured((1.0,), noise=0.3)
    ran = gated()
    assert (ran.returncode, ran.stdout.split()[0]) == (3, "UNDECIDED")


def test_json_is_all_that_standard_output_has(measured):
    measured((1.2,))
    found = json.loads(gated("--json").stdout)
    assert (found["command"], found["verdict"], found["status"]) == ("gate", "REGRESSION", 1)
    assert found["facts"]["head"]["name"] == "the working tree"


def test_a_step_of_github_gets_the_verdict_and_the_page(measured, tmp_path, monkeypatch):
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    gated()
    lines = (tmp_path / "output").read_text().splitlines()
    assert lines[0] == "verdict=PASSED"
    assert Path(lines[1].removeprefix("page=")).name == "gate.md"


def test_a_job_that_could_not_be_carried_through_passes_no_gate(measured, monkeypatch):
    def fail(config: Any, job: str, _: Any) -> None:
        Journal(config.journal).plan(Plan(os.environ[SESSION], job, "throughput", {}, ("x",)))

    monkeypatch.setattr(gate, "run_job", fail)
    ran = gated()
    assert ran.returncode == 3
    assert "1 of 1 planned record missing" in ran.stdout


def test_the_session_is_a_gates_and_ends_in_the_journal(measured):
    gated()
    contents = Journal("bnbench-results/journal").read()
    [session] = contents.sessions.values()
    assert session.command[:3] == ("bnbench", "gate", "main")
    assert session.config["baseline"] == "base"
    assert contents.ends[session.id].state == "FINISHED"


def test_instructions_are_counted_where_that_is_asked_for(measured, monkeypatch):
    asked = []

    def counted_cells(cells: Any, records: Any, arms: Any, _: Any) -> tuple[GateCount, ...]:
        asked.append(dict(arms))
        [cell] = cells
        return (GateCount("mine", cell.cell, "kernel", Agreement.SILENT, reason="no valgrind"),)

    monkeypatch.setattr(gate, "counted_cells", counted_cells)
    assert json.loads(gated("--json").stdout)["facts"]["counts"] == []
    assert asked == []
    ran = gated("--json", "gate.instructions=true")
    [count] = json.loads(ran.stdout)["facts"]["counts"]
    [[base, head]] = asked[0].values()
    assert base.place != head.place
    assert count["reason"] == "no valgrind"
    assert "0 calls counted" in ran.stderr


def written(repository: MadeRepository) -> list[Path]:
    return [path for path in repository.folder.iterdir() if path.name != ".git"]


def test_an_unknown_revision_is_refused_before_anything_is_written(repository, tmp_path):
    before = written(repository)
    ran = run_here("gate", "mian", *WORDS)
    assert ran.returncode == 2
    assert "there is no revision 'mian' here; did you mean 'main'?" in ran.stderr
    assert written(repository) == before
    assert not (tmp_path / "cache").exists()


def test_a_folder_that_is_no_repository_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran = run_here("gate", "main", *WORDS)
    assert ran.returncode == 2
    assert "is in no working tree of git that can be used" in ran.stderr


def test_a_base_that_does_not_build_is_told_to_people_to_scripts_and_to_github(
    repository, tmp_path, monkeypatch
):
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    words = ("gate.build=echo no compiler; false # {folder}", *WORDS[1:], "--json")
    ran = run_here("gate", "main", *words)
    assert ran.returncode == 3
    assert "there is nothing to compare with, since base is main (commit " in ran.stderr
    assert "its last lines:\n  no compiler" in ran.stderr
    found = json.loads(ran.stdout)
    assert (found["verdict"], found["status"]) == ("UNDECIDED", 3)
    assert "no compiler" in found["reason"]
    assert (tmp_path / "output").read_text() == "verdict=UNDECIDED\n"
    assert len(repository.worktrees) == 1
