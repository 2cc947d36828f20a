"""`bnbench replay` as a user runs it: from the journal, a folder or MLflow, and what it says of a
difference.
"""

from __future__ import annotations

import json
import re
from itertools import permutations

import pytest

from harness.cli.arguments import replay_flags
from harness.config import UsageError
from tests.helpers.commands import SMALL

TRAIN = (
    "run",
    "task=convergence",
    "task.steps=12",
    "task.evaluate_every=6",
    "task.seeds=[0,1]",
    "implementations=[torch_native]",
    "device.threads=2",
)


@pytest.fixture
def trained(bnbench, tmp_path):
    """A session's name, after its training."""
    done = bnbench(*TRAIN, "tracking=none")
    assert done.returncode == 0, done.stderr
    [folder] = (tmp_path / "bnbench-results/reports").iterdir()
    return folder.name


@pytest.mark.slow
def test_a_session_is_the_same_again_wherever_it_was_written_down(bnbench, trained, tmp_path):
    folder = tmp_path / "bnbench-results/reports" / trained
    journal = (tmp_path / "bnbench-results/journal/journal.jsonl").read_text().splitlines()
    key = next(line["keys"][0] for line in map(json.loads, journal) if line["kind"] == "plan")
    for run, many in ((key, 1), (str(folder), 4)):
        replayed = bnbench("replay", run, "tracking=none")
        assert replayed.returncode == 0, replayed.stdout + replayed.stderr
        assert replayed.stdout.count("SAME") == many
        assert "12 losses" in replayed.stdout


@pytest.mark.slow
def test_another_number_of_threads_is_found_and_named(bnbench, trained):
    replayed = bnbench("replay", trained, "tracking=none", "device.threads=1")
    assert replayed.returncode == 1, replayed.stdout + replayed.stderr
    assert "DIFFERENT" in replayed.stdout
    assert re.search(r"losses first differ at step \d+: [\d.]+ → [\d.]+, \d+ ulp", replayed.stdout)
    assert "threads: 2 → 1" in replayed.stdout


@pytest.mark.slow
def test_a_run_of_mlflows_is_all_that_a_replay_needs(bnbench, tmp_path):
    assert bnbench(*TRAIN, "task.seeds=[0]", "results=first").returncode == 0
    from mlflow import MlflowClient

    store = f"sqlite:///{tmp_path}/first/mlflow.db"
    client = MlflowClient(store)
    [experiment] = client.search_experiments(filter_string="name = 'bnbench'")
    runs = client.search_runs([experiment.experiment_id], "tags.implementation = 'torch_native'")
    [parent] = client.search_runs([experiment.experiment_id], "tags.kind = 'session'")
    files = {file.path for file in client.list_artifacts(parent.info.run_id)}
    assert files >= {"packages.txt", "jobs.jsonl", "environment.json"}
    (tmp_path / "first/journal/journal.jsonl").unlink()
    for run, many in ((runs[0].info.run_id, 1), (parent.info.run_id, 2)):
        replayed = bnbench("replay", run, "results=elsewhere", f"tracking.uri={store}")
        assert replayed.returncode == 0, replayed.stdout + replayed.stderr
        assert replayed.stdout.count("SAME") == many


@pytest.mark.slow
def test_throughput_and_conformance_replay_too(bnbench, tmp_path):
    bnbench("run", "problem.shapes=[[4,3,5]]", *SMALL, "tracking=none")
    bnbench("check", "numpy", "task.cases=phases/*", "tracking=none")
    for folder, allowed in zip(
        sorted((tmp_path / "bnbench-results/reports").iterdir()),
        ({"SAME", "FASTER", "SLOWER", "AMBIGUOUS"}, {"SAME"}),
        strict=True,
    ):
        replayed = bnbench("replay", folder.name, "tracking=none")
        assert replayed.returncode in {0, 1, 3}, replayed.stderr
        outcomes = set(re.findall(r"^[A-Z]+(?=  )", replayed.stdout, re.MULTILINE))
        assert outcomes
        assert outcomes <= allowed, replayed.stdout


@pytest.mark.parametrize(
    "words", list(permutations(("there", "device.threads=1", "--level=equivalent")))
)
def test_the_run_the_level_and_what_is_changed_come_in_any_order_but_a_run_before_keys(words):
    if words.index("there") > words.index("device.threads=1"):
        with pytest.raises(UsageError, match="write bnbench replay RUN"):
            replay_flags(words)
    else:
        assert vars(replay_flags(words)) == {
            "run": "there",
            "level": "equivalent",
            "overrides": ["device.threads=1"],
        }


def test_a_run_that_is_not_there_is_wrong_usage_that_says_what_is(bnbench):
    replayed = bnbench("replay", "nothing", "tracking=none")
    assert replayed.returncode == 2
    assert "there is no run 'nothing'" in replayed.stderr
    assert bnbench("replay").returncode == 2


def test_a_folder_that_is_no_sessions_is_wrong_usage(bnbench, tmp_path):
    (tmp_path / "empty").mkdir()
    replayed = bnbench("replay", "empty", "tracking=none")
    assert replayed.returncode == 2
    assert "empty has no environment.json, so it is no finished session" in replayed.stderr
