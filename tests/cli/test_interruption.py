"""Killed in mid-sweep, the worker or the whole command: nothing in the journal is lost, and nothing
is done twice.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections import Counter
from contextlib import suppress

import psutil
import pytest

from harness.records import Status, TrainingRecord
from harness.store import Journal
from tests.helpers.commands import command, small

pytestmark = pytest.mark.usefixtures("forked_launches")  # of the commands in this process
JOBS = (
    "run",
    *small("task.launches=1", "task.most_launches=1"),
    "-m",
    "problem.dtype=float32,float64",
)
SWEEP = (*JOBS, "problem.shapes=[[4,3,5],[8,3],[16,3]]")
JOBLIB = ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
RECORDS = 3 * 3 * 2  # shapes, arms with the canary, dtypes
TRAINING = (
    "run",
    "task=convergence",
    "task.steps=400",
    "task.seeds=[0]",
    "task.alternatives=[]",
    "task.checkpoint_seconds=0",
    "implementations=[torch_native]",
    "device.threads=1",
    "tracking=none",
)


def start(folder, *arguments):
    return subprocess.Popen(
        command(*arguments),
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def read_until(process, text):
    """Follow the command's own progress, so that the kill falls in the middle and no clock is
    consulted.
    """
    for line in process.stderr:
        if text in line:
            return
    pytest.fail(f"the command ended before it wrote {text!r}")


def wait_until(process, true):
    while not true():
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=0.02)
            pytest.fail("the command ended too early")


def workers(process):
    return [
        child
        for child in psutil.Process(process.pid).children(recursive=True)
        if {"harness.timing.worker", "harness.training.worker"} & set(child.cmdline())
    ]


def measured(folder):
    """How often each key was measured and found OK."""
    history = Journal(folder / "bnbench-results/journal").read().history
    return Counter(record.key for record in history if record.status is Status.OK)


def tracked(folder):
    """The runs in MLflow's store."""
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{folder}/bnbench-results/mlflow.db")
    [experiment] = client.search_experiments(filter_string="name = 'bnbench'")
    return client.search_runs([experiment.experiment_id], max_results=1000)


@pytest.mark.slow
def test_kill_nine_of_the_command_and_then_resume(tmp_path, bnbench_here):
    process = start(tmp_path, *SWEEP)
    read_until(process, "of 9 records")
    orphans = workers(process)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert orphans
    assert not psutil.wait_procs(orphans, timeout=30)[1], "workers outlived their command"

    before = measured(tmp_path)
    assert 0 < sum(before.values()) < RECORDS
    resumed = bnbench_here(*SWEEP, "resume=true")
    assert resumed.returncode == 0, resumed.stderr
    after = measured(tmp_path)
    assert len(after) == RECORDS
    assert set(after.values()) == {1}
    assert before <= after

    states = Counter(run.info.status for run in tracked(tmp_path))
    assert states["RUNNING"] == 0
    assert states["KILLED"] >= 1


@pytest.mark.long
def test_under_joblib_too_nothing_outlives_its_command_or_is_measured_twice(tmp_path, bnbench_here):
    arguments = (*JOBS, *JOBLIB, "problem.shapes=[[4,3,5]]")
    process = start(tmp_path, *arguments)
    read_until(process, "1 of 3 records")
    jobs = psutil.Process(process.pid).children(recursive=True)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert len(jobs) >= 3  # joblib's own processes, and the worker of one of them
    assert not psutil.wait_procs(jobs, timeout=30)[1], "jobs outlived their command"
    resumed = bnbench_here(*arguments, "resume=true")
    assert resumed.returncode == 0, resumed.stderr
    assert sorted(measured(tmp_path).values()) == [1] * 6
    assert "RUNNING" not in {run.info.status for run in tracked(tmp_path)}
    assert not list((tmp_path / "bnbench-results/journal").glob("running/*"))


@pytest.mark.slow
def test_kill_nine_of_a_worker_costs_one_record_at_most_which_resume_makes(tmp_path, bnbench_here):
    process = start(tmp_path, *SWEEP, "tracking=none")
    read_until(process, "1 of 9 records")
    os.kill(workers(process)[0].pid, signal.SIGKILL)
    process.communicate()

    history = Journal(tmp_path / "bnbench-results/journal").read().history
    assert len(history) == RECORDS
    # none where it was idle: another one is started
    fallen = [record for record in history if record.status is not Status.OK]
    assert len(fallen) <= 1
    assert all("SIGKILL" in record.reason for record in fallen)
    assert process.returncode == any(record.failed for record in fallen)
    assert bnbench_here(*SWEEP, "tracking=none", "resume=true").returncode == 0
    after = measured(tmp_path)
    assert len(after) == RECORDS
    assert set(after.values()) == {1}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "send"), [(signal.SIGINT, os.killpg), (signal.SIGTERM, os.kill)]
)
def test_an_interrupted_command_ends_its_run_as_killed(tmp_path, number, send):
    """Ctrl-C goes to the workers, too, and SIGTERM to the command alone."""
    process = start(tmp_path, *SWEEP)
    read_until(process, "of 9 records")
    send(process.pid, number)
    _, errors = process.communicate()
    assert process.returncode == 130
    assert "resume=true" in errors
    contents = Journal(tmp_path / "bnbench-results/journal").read()
    assert [end.state for end in contents.ends.values()] == ["KILLED"]
    assert {record.status for record in contents.history} == {Status.OK}

    parents = [run for run in tracked(tmp_path) if "mlflow.parentRunId" not in run.data.tags]
    assert [run.info.status for run in parents] == ["KILLED"]


@pytest.mark.long
def test_kill_nine_in_a_training_costs_the_steps_since_its_checkpoint_and_no_bit(
    tmp_path, bnbench_here
):
    (tmp_path / "here").mkdir()
    process = start(tmp_path / "here", *TRAINING)
    results = tmp_path / "here/bnbench-results"
    wait_until(process, lambda: list(results.glob("checkpoints/*.pt")))
    orphans = workers(process)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert not psutil.wait_procs(orphans, timeout=30)[1]
    assert not measured(tmp_path / "here")

    assert bnbench_here(*TRAINING, "results=here/bnbench-results", "resume=true").returncode == 0
    assert bnbench_here(*TRAINING, "results=whole").returncode == 0
    [resumed], [whole] = (
        Journal(journal).read().history
        for journal in (results / "journal", tmp_path / "whole/journal")
    )
    assert isinstance(resumed, TrainingRecord)
    assert isinstance(whole, TrainingRecord)
    [step] = resumed.figures.resumed_after
    assert 0 < step < 400
    assert resumed.figures.losses_sha256 == whole.figures.losses_sha256
    assert resumed.figures.parameters_sha256 == whole.figures.parameters_sha256
    assert not list(results.glob("checkpoints/*.pt"))
