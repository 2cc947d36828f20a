"""Real workers, small problems: each trouble is named, and costs its own record only."""

from __future__ import annotations

import os
import signal
from collections import Counter
from math import exp
from pathlib import Path
from statistics import fmean

import pytest
import torch

import harness
from harness import statistics
from harness.config import UsageError, composition
from harness.environment import capture, machine
from harness.isolation import WorkerDied, WorkerProcess, WorkerSettings
from harness.problems import operand_bytes
from harness.records import Flag, Status, Verdict, record_from_plain, record_to_plain
from harness.tasks import throughput
from harness.timing.launch import WORKER
from implementations.fused_cpu.library import instruction_set
from implementations.interface import Problem
from tests.helpers.commands import SMALL as SMALL_RUN

pytestmark = pytest.mark.usefixtures("forked_launches")
SMALL = Problem((4, 3, 5, 5), activation="relu")
LEFT = {"output", "running_mean", "running_var", "grad_input", "grad_weight", "grad_bias"}


def plugin(name, **arguments):
    return {"_target_": f"troublesome_bn.{name}", **arguments}


def measured(*implementations, problem=SMALL, **keywords):
    keywords = {"launches": 2, "blocks": 2, **keywords}
    records = harness.measure(
        ["torch_native", *implementations],
        [problem],
        threads=1,
        **{"most_launches": keywords["launches"], **keywords},
    )
    return {record.implementation.removeprefix("troublesome_bn."): record for record in records}


def measured_once(implementations, problem=SMALL, **keywords):
    """The records of one block in one launch, in their order."""
    return harness.measure(
        implementations, [problem], threads=1, launches=1, most_launches=1, blocks=1, **keywords
    )


@pytest.mark.slow
def test_every_arm_is_measured_in_every_block_of_every_launch():
    records = measured("numpy", blocks=4)
    assert set(records) == {"torch_native", "canary", "numpy"}
    for record in records.values():
        assert record.status is Status.OK
        places = Counter((sample.launch, sample.block) for sample in record.samples)
        counted = Counter(
            (sample.launch, sample.block) for sample in record.samples if not sample.set_aside
        )
        assert set(counted.values()) == {1}  # what a busy machine disturbed is taken again
        assert {(launch, block) for launch in range(2) for block in range(4)} <= set(places)


TROUBLES = {
    "Crashing": (Status.CRASHED, "SIGSEGV"),
    "Exiting": (Status.CRASHED, "exit status 3"),
    "Raising": (Status.CRASHED, "no_such_thing"),
    "Wrong": (Status.WRONG, "output"),
    "Refusing": (Status.UNSUPPORTED, "it is Sunday"),
    "Speechless": (Status.UNSUPPORTED, "it gives no reason"),
    "Threaded": (Status.CRASHED, "number of threads"),
    "NoImplementation": (Status.CRASHED, "is not an Implementation"),
    "Absent": (Status.UNAVAILABLE, "a machine that is not here"),
    "Chatty": (Status.OK, None),
    "Scaled(factor=1.0)": (Status.OK, None),
}


@pytest.fixture(scope="module")
def troubled():
    """All the troublesome plug-ins in one cell, with a bound that float32 cannot keep."""
    plugins = [plugin("Scaled", factor=1.0) if "(" in name else plugin(name) for name in TROUBLES]
    return measured("numpy", *plugins, launches=1, accuracy=1e-12)


@pytest.mark.parametrize("name", TROUBLES)
def test_trouble_is_named(troubled, name):
    status, reason = TROUBLES[name]
    assert troubled[name].status is status
    assert (troubled[name].reason is None) == (reason is None)
    assert reason is None or reason in troubled[name].reason
    assert (troubled[name].figures is None) == (status is not Status.OK)


def test_trouble_costs_its_own_record_only(troubled):
    assert {troubled[other].status for other in ("torch_native", "numpy", "canary")} == {Status.OK}


def test_each_arm_that_is_right_has_its_errors_and_is_held_to_the_bound_that_was_asked(troubled):
    right = [record for record in troubled.values() if record.status is Status.OK]
    assert len(right) > 4
    for record in right:
        assert set(record.figures.accuracy.errors) == LEFT
        assert 1e-12 < record.figures.accuracy.worst < 1e-5
        assert record.figures.accuracy.channels == SMALL.channels
        assert record.cell.accuracy == 1e-12
        assert Flag.INACCURATE in record.flags


def test_what_a_plugin_prints_is_not_taken_for_an_answer(troubled):
    assert troubled["Chatty"].figures.median_seconds > 0


def test_a_hang_is_a_timeout_and_the_others_are_measured(monkeypatch):
    ask = WorkerProcess.call
    monkeypatch.setattr(
        WorkerProcess,
        "call",
        lambda self, service, reply, timeout, *rest, **keywords: ask(
            self, service, reply, 5.0 if "Hanging" in str(keywords) else timeout, *rest, **keywords
        ),
    )
    records = measured(plugin("Hanging"), launches=1)
    assert records["Hanging"].status is Status.TIMEOUT
    assert records["torch_native"].status is Status.OK


def test_where_the_baseline_falls_medians_stand_and_ratios_are_absent_with_the_reason():
    problem = Problem((4, 3), dtype="bfloat16")  # which NumPy has not
    made = measured_once(["torch_native"], problem, baseline="numpy")
    records = {record.implementation: record for record in made}
    assert records["numpy"].status is Status.UNSUPPORTED
    assert records["torch_native"].figures.median_seconds > 0
    assert records["torch_native"].figures.ratio is None
    assert "UNSUPPORTED" in records["torch_native"].figures.ratio_absent


@pytest.mark.timed
def test_three_times_the_work_is_found_slower_or_the_record_says_what_disturbed_it():
    problem = Problem((16, 32, 28, 28))
    records = measured(plugin("Slowed", factor=3), problem=problem, launches=3)
    record = records["Slowed(factor=3)"]
    assert record.figures.ratio.low > 1
    if record.flags:
        assert record.figures.verdict is None
    else:
        assert record.figures.verdict is Verdict.SLOWER


def test_the_baseline_is_an_arm_whether_it_is_listed_or_not():
    records = measured_once(["numpy"])
    assert [record.implementation for record in records] == ["torch_native", "numpy", "canary"]


def test_one_instruction_set_beside_another_is_on_both_records_in_the_same_blocks():
    if instruction_set() == "baseline":
        pytest.skip("this machine has one instruction set")
    plain = {"name": "fused_cpu", "label": "plain", "variables": {"BNBENCH_ISA": "baseline"}}
    made = measured_once(["fused_cpu", plain], baseline="plain")
    records = {record.implementation: record for record in made}
    assert list(records) == ["fused_cpu", "plain", "canary"]
    assert {record.status for record in made} == {Status.OK}
    for name in ("plain", "canary"):
        setting = records[name].identity.arm
        assert setting.instruction_sets["fused_cpu"] == "baseline"
        assert setting.versions["torch"] == torch.__version__
    assert records["fused_cpu"].identity.arm is None
    in_use = {name: record.figures.instruction_sets for name, record in records.items()}
    assert in_use["plain"]["fused_cpu"] == in_use["canary"]["fused_cpu"] == "baseline"
    assert in_use["fused_cpu"]["fused_cpu"] == instruction_set() != "baseline"
    places = [
        {(sample.launch, sample.block) for sample in record.samples if not sample.set_aside}
        for record in made
    ]
    assert places[0] == places[1] == places[2]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["nump"], "did you mean 'numpy'"),
        ([{"_target_": "no_such_module.Mine"}], "PYTHONPATH"),
        ([{"_target_": "troublesome_bn.Crushing"}], "did you mean 'Crashing'"),
        ([{"target": "x.Y"}], "_target_"),
        (["numpy", "numpy"], "twice"),
    ],
)
def test_an_implementation_that_is_not_there_is_a_usage_error(given, message):
    with pytest.raises(UsageError, match=message):
        harness.measure(given, [SMALL])


def test_a_problem_larger_than_the_memory_is_refused_before_anything_runs(monkeypatch):
    monkeypatch.setattr(machine, "memory_total", lambda: 24 * 2**30)
    with pytest.raises(UsageError, match=r"take 32\.0 PiB, and this machine has 24\.0 GiB"):
        harness.measure(["numpy"], [Problem((1 << 20, 1 << 16, 1 << 10, 64))])
    monkeypatch.setattr(machine, "memory_total", lambda: operand_bytes(SMALL) - 1)
    with pytest.raises(UsageError, match="choose a smaller shape"):
        harness.measure(["numpy"], [SMALL])


def test_the_operands_of_a_problem_are_counted_in_its_dtype_with_its_residual():
    assert operand_bytes(Problem((2, 3, 5))) == 2 * 30 * 4
    assert operand_bytes(Problem((2, 3, 5), dtype="bfloat16", residual=True)) == 3 * 30 * 2


def test_a_worker_that_is_killed_from_outside_is_told_by_its_signal():
    with WorkerProcess(WORKER, WorkerSettings()) as worker:
        os.kill(worker.process.pid, signal.SIGKILL)
        with pytest.raises(WorkerDied, match="SIGKILL"):
            worker.call("clear", type(None), 10.0)


def test_a_worker_runs_with_the_threads_and_the_cpus_that_it_was_given():
    with WorkerProcess(WORKER, WorkerSettings(threads=1)) as worker:
        assert worker.facts.threads == 1
        assert len(worker.facts.cpus) == 1


@pytest.mark.parametrize(("pages", "asks"), [("asked", True), ("default", False)])
def test_a_worker_asks_the_kernel_for_huge_pages_where_it_is_told_to(pages, asks):
    with WorkerProcess(WORKER, WorkerSettings(huge_pages=pages)) as worker:
        environment = Path(f"/proc/{worker.process.pid}/environ").read_bytes()
    assert (b"glibc.malloc.hugetlb=1" in environment) == asks


def test_an_arm_keeps_the_samples_of_a_baseline_whose_own_record_is_of_an_earlier_session():
    composition.register()
    given = [*SMALL_RUN, "problem.shapes=[[4,3,5,5]]", "tracking=none"]
    [config] = composition.composed(given).configs
    planned = throughput.plan(config, capture())
    added = [one for one in planned if one.implementation == "torch_unfused"]
    [record] = throughput.measure(config, added, "s", lambda _: None)
    samples = record.figures.baseline_samples
    assert {sample.launch for sample in samples} == {0, 1}
    log_ratios = statistics.log_ratios(
        {"arm": record.samples, "baseline": samples}, "arm", "baseline"
    )
    assert exp(fmean(log_ratios)) == pytest.approx(record.figures.ratio.estimate)
    assert record_from_plain(record_to_plain(record)) == record
