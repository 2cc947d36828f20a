"""`bnbench replay` as a user runs it: from the journal, a folder or MLflow, and how it describes a
difference.
"""

from __future__ import annotations

import json
import re
from itertools import permutations

import pytest

from harness.cli.arguments import replay_flags
from harness.config import UsageError
from tests.helpers.commands import SMALL, run_here

pytestmark = pytest.mark.usefixtures("forked_launches")

TRAIN = (
    "run",
    "task=convergence",
    "task.steps=12",
    "task.evaluate_every=6",
    "task.seeds=[0,1]",
    "implementations=[torch_native]",
    "device.threads=1",
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of a session's results, with MLflow's store in it, and the session's name."""
    here = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(here)
        done = run_here(*TRAIN)
    assert done.returncode == 0, done.stderr
    results = here / "bnbench-results"
    [folder] = (results / "reports").iterdir()
    return results, folder.name


@pytest.mark.slow
def test_a_session_is_the_same_again_wherever_it_was_recorded(bnbench_here, trained):
    results, session = trained
    journal = (results / "journal/journal.jsonl").read_text().splitlines()
    key = next(line["keys"][0] for line in map(json.loads, journal) if line["kind"] == "plan")
    place = (f"journal={results}/journal", "tracking=none")
    for run, many in ((key, 1), (str(results / "reports" / session), 4)):
        replayed = bnbench_here("replay", run, *place)
        assert replayed.returncode == 0, replayed.stdout + replayed.stderr
        assert replayed.stdout.count("SAME") == many
        assert "12 losses" in replayed.stdout


@pytest.mark.slow
def test_another_number_of_threads_is_found_and_named(bnbench_here, trained):
    results, session = trained
    place = (f"journal={results}/journal", "tracking=none")
    replayed = bnbench_here("replay", session, *place, "device.threads=2")
    assert replayed.returncode == 1, replayed.stdout + replayed.stderr
    assert "DIFFERENT" in replayed.stdout
    assert re.search(r"losses first differ at step \d+: [\d.]+ → [\d.]+, \d+ ulp", replayed.stdout)
    assert "threads: 1 → 2" in replayed.stdout


@pytest.mark.slow
def test_a_run_of_mlflows_is_all_that_a_replay_needs(bnbench_here, trained):
    results, _ = trained
    from mlflow import MlflowClient

    store = f"sqlite:///{results}/mlflow.db"
    client = MlflowClient(store)
    [experiment] = client.search_experiments(filter_string="name = 'bnbench'")
    runs = client.search_runs([experiment.experiment_id], "tags.implementation = 'torch_native'")
    [parent] = client.search_runs([experiment.experiment_id], "tags.kind = 'session'")
    files = {file.path for file in client.list_artifacts(parent.info.run_id)}
    assert files >= {"packages.txt", "jobs.jsonl", "environment.json"}
    for run, many in ((runs[0].info.run_id, 1), (parent.info.run_id, 4)):
        # The journal of this folder is empty: all comes from MLflow.
        replayed = bnbench_here(
            "replay", run, f"tracking.uri={store}", "tracking.experiment=replays"
        )
        assert replayed.returncode == 0, replayed.stdout + replayed.stderr
        assert replayed.stdout.count("SAME") == many


def outcomes_in(text):
    return re.findall(r"^[A-Z]+(?=  )", text, re.MULTILINE)


@pytest.mark.long
def test_a_replay_of_speeds_has_an_outcome_for_each_arm_and_the_exit_status_of_the_worst(
    bnbench_here, tmp_path
):
    assert bnbench_here("run", "problem.shapes=[[4,3,5]]", *SMALL, "tracking=none").returncode == 0
    [folder] = (tmp_path / "bnbench-results/reports").iterdir()
    replayed = bnbench_here("replay", folder.name, "tracking=none")
    outcomes = outcomes_in(replayed.stdout)
    assert len(outcomes) == 3, replayed.stdout + replayed.stderr
    # The machine decides the outcomes; tests/replay/test_verdicts.py has each one of them.
    compared = re.findall(r"of the ratio that it had|there is no ratio", replayed.stdout)
    assert len(compared) == 3, replayed.stdout
    assert "DIFFERENT" not in outcomes
    undecided = 3 if "AMBIGUOUS" in outcomes else 0
    assert replayed.returncode == (1 if "SLOWER" in outcomes else undecided)


@pytest.mark.slow
def test_a_replay_of_conformance_is_the_same(bnbench_here, tmp_path):
    done = bnbench_here("check", "numpy", "task.cases=phases/*", "tracking=none")
    assert done.returncode == 0, done.stdout + done.stderr
    [folder] = (tmp_path / "bnbench-results/reports").iterdir()
    replayed = bnbench_here("replay", folder.name, "tracking=none")
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
    assert set(outcomes_in(replayed.stdout)) == {"SAME"}


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
            "json": False,
        }


def test_a_run_that_is_not_there_is_wrong_usage_that_says_what_is(bnbench_here):
    replayed = bnbench_here("replay", "nothing", "tracking=none")
    assert replayed.returncode == 2
    assert "there is no run 'nothing'" in replayed.stderr
    assert bnbench_here("replay").returncode == 2


def test_a_folder_that_is_no_sessions_is_wrong_usage(bnbench_here, tmp_path):
    (tmp_path / "empty").mkdir()
    replayed = bnbench_here("replay", "empty", "tracking=none")
    assert replayed.returncode == 2
    assert "empty has no environment.json, so it is no finished session" in replayed.stderr
