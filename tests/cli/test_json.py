"""With --json, standard output has one document of a stated form, and all else goes elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.environment import Environment
from harness.replay.outcomes import Outcome
from harness.replay.recorded_runs import Original
from harness.replay.verdicts import Replay
from tests.helpers import synthetic
from tests.helpers.commands import Ran
from tests.helpers.synthetic import SPEEDS, case, cell, throughput


def document(ran: Ran, command: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ran.stdout)
    assert (found["schema"], found["command"]) == (1, command)
    assert found["status"] == ran.returncode
    return found


@pytest.fixture
def sessions(tmp_path: Path) -> str:
    before = throughput(cell(), SPEEDS, session="a")
    after = throughput(cell(), {**SPEEDS, "numpy": 15.0}, session="b", seed=3)
    synthetic.journal(tmp_path / "journal", before, session="a")
    synthetic.journal(tmp_path / "journal", after, session="b")
    return str(tmp_path / "journal")


def test_compare_gives_every_comparison(sessions, bnbench_here):
    ran = bnbench_here("compare", "a", "b", "--journal", sessions, "--json")
    found = document(ran, "compare")
    assert (found["before"], found["after"], found["status"]) == ("a", "b", 1)
    changes = {one["implementation"]: one["change"] for one in found["comparisons"]}
    assert changes["numpy"] == "SLOWER"
    assert changes["torch_unfused"] == "SAME"
    [slower] = [one for one in found["comparisons"] if one["change"] == "SLOWER"]
    assert slower["ratio"]["low"] > 1.03
    assert slower["cell"]["problem"]["shape"] == [32, 64, 112, 112]
    assert "SLOWER" in ran.stderr


def test_compare_without_it_prints_for_people_and_no_document(sessions, bnbench_here):
    ran = bnbench_here("compare", "a", "b", "--journal", sessions)
    assert "schema" not in ran.stdout
    assert "SLOWER" in ran.stdout


def test_replay_gives_every_record_that_was_made_again(bnbench_here, monkeypatch):
    record = case("numpy", "data/0")
    made = Replay(Original(record, {}, Environment()), record, Outcome.SAME, "bit for bit")
    monkeypatch.setattr("harness.replay.running.replay", lambda *_: [made])
    found = document(bnbench_here("replay", "x", "--json"), "replay")
    [one] = found["replays"]
    assert (one["key"], one["outcome"], one["note"]) == (record.key, "SAME", "bit for bit")


@pytest.mark.slow
def test_check_gives_every_case_and_its_tables_to_people(bnbench_here):
    words = ("numpy", "task.cases=phases/inf*", "tracking=none", "device.threads=1", "--json")
    ran = bnbench_here("check", *words)
    found = document(ran, "check")
    assert found["session"] in ran.stderr
    assert {one["outcome"] for one in found["cases"]} == {"OK"}
    assert all(one["worst"] is not None for one in found["cases"])


def test_a_wrong_command_line_gives_no_document(bnbench_here):
    for words in (("compare", "a", "--json"), ("check", "--json"), ("replay", "nope", "--json")):
        ran = bnbench_here(*words)
        assert (ran.returncode, ran.stdout) == (2, "")


def test_the_commands_that_have_it_say_so_in_their_help(bnbench_here):
    for command in ("check", "compare", "gate", "replay"):
        assert "--json" in bnbench_here(command, "--help").stdout
