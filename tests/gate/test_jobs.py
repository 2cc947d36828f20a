"""A gate shares its budget out, and refuses the keys that it sets itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.analysis.gate_facts import GatePair
from harness.config import (
    Config,
    ConformanceConfig,
    GateConfig,
    ProblemConfig,
    ThroughputConfig,
    UsageError,
)
from harness.gate.jobs import LAUNCHES, MOST_LAUNCHES, jobs_of, refuse_contradictions, with_launches
from harness.gate.pairs import MeasuredPair
from harness.tasks.common import task_config

CONFIG = Config(
    task=ThroughputConfig(phases=["inference", "backward"]),
    problem=ProblemConfig(shapes=[[4, 3, 5], [8, 3]]),
    gate=GateConfig(seconds=120, alarms=0.02),
)
BOTH = MeasuredPair(GatePair("a", "base a", "head a"), ({"name": "a"}, {"name": "a"}))
NEW = MeasuredPair(GatePair("b", None, "head b"), ({"name": "b"},))
GONE = MeasuredPair(GatePair("c", "base c", None), ({"name": "c"},))


def test_every_pair_with_a_head_is_a_job_and_their_budgets_are_the_gates():
    jobs = jobs_of([BOTH, NEW, GONE], [CONFIG, CONFIG])
    assert [job.name for job in jobs] == ["0 a", "1 b", "2 a", "3 b"]
    cells = 2 * 2 * len(jobs)
    budgets = [task_config(job.config, ThroughputConfig).cell_seconds for job in jobs]
    assert budgets == [pytest.approx(120 / cells)] * 4


def test_the_baseline_is_base_or_where_there_is_none_head():
    jobs = jobs_of([BOTH, NEW], [CONFIG])
    assert [job.config.baseline for job in jobs] == ["base a", "head b"]
    assert [len(job.config.implementations) for job in jobs] == [2, 1]
    assert {job.config.alpha for job in jobs} == {CONFIG.alpha}


def test_jobs_share_the_alarms_by_their_cells_and_looks_follow_their_launches():
    [one, other] = jobs_of([BOTH, NEW], [CONFIG])
    assert (one.cells, other.cells) == (4, 4)
    assert one.rule.alarms == other.rule.alarms == pytest.approx(0.01)
    assert (one.rule.pilot, one.rule.most_launches) == (8, 16)


def test_fewer_launches_than_a_look_takes_are_refused():
    short = replace(CONFIG, task=ThroughputConfig(launches=2))
    with pytest.raises(UsageError, match=r"a pilot has at least 3.*task.launches=2"):
        jobs_of([BOTH], [short])


def test_a_gate_takes_few_launches_first_where_nobody_asks_for_others():
    task = task_config(with_launches(CONFIG), ThroughputConfig)
    assert (task.launches, task.most_launches) == (LAUNCHES, MOST_LAUNCHES)
    for asked in (ThroughputConfig(launches=9), ThroughputConfig(most_launches=20)):
        assert with_launches(replace(CONFIG, task=asked)).task == asked


@pytest.mark.parametrize(
    "word",
    [
        "baseline=numpy",
        "alpha=0.1",
        "resume=true",
        "task.cell_seconds=3",
        "gate.fail_if=slower",
        "hydra/launcher=joblib",
        "hydra.job.chdir=true",
    ],
)
def test_what_a_gate_decides_itself_is_refused(word):
    with pytest.raises(UsageError, match=r"has no place in a gate: .*; leave it out"):
        refuse_contradictions(["margin=0.1", word], [CONFIG])


def test_another_task_is_refused():
    with pytest.raises(UsageError, match="task=conformance: a gate is of task=throughput"):
        refuse_contradictions([], [replace(CONFIG, task=ConformanceConfig())])


def test_keys_of_a_run_are_taken():
    refuse_contradictions(["problem=ten", "task.phases=[inference]", "gate.seconds=5"], [CONFIG])
