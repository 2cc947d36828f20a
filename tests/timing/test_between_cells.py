"""What has fallen in one cell costs the next one wait at most: a plug-in that does not load, or a
dead worker.
"""

from __future__ import annotations

import pytest

from harness.isolation import WAIT_POLICIES, Arm, WorkerSettings, WorkerTimedOut
from harness.records import Cost, Status
from harness.timing import launch
from harness.timing.arm_failure import ArmFailed
from harness.timing.launch_pool import LaunchPool
from harness.timing.messages import CellSetup
from implementations.interface import Phase, Problem

MINE = {"_target_": "my_bn.Mine"}
SETUP = CellSetup(Problem((4, 3, 5)), Phase.INFERENCE, "layer", "fresh", "cpu", 0, "normal", 1)


class Worker:
    """Answers everything but what is to hang."""

    hanging = "load"
    asked: list[str]
    alive = True

    def __init__(self, module, settings):
        pass

    def call(self, service, reply, timeout, on_progress=None, **arguments):
        self.asked.append(service)
        if service == self.hanging:
            raise WorkerTimedOut("no answer")
        return reply() if reply is Cost else None

    def close(self):
        pass


@pytest.fixture
def worker(monkeypatch):
    monkeypatch.setattr(Worker, "asked", [], raising=False)
    monkeypatch.setattr(launch, "WorkerProcess", Worker)
    return Worker


def prepared(pool, index, implementation):
    """A cell begun in a launch, and an arm prepared there; what is left of its failure."""
    pool[index].open(SETUP)
    try:
        pool[index].prepare("mine", Arm(implementation))
    except ArmFailed as failure:
        return failure.status, failure.reason, failure.died
    return None


def test_a_hang_on_import_is_waited_for_once(worker):
    with LaunchPool(WorkerSettings(), 5.0) as pool:
        assert prepared(pool, 0, MINE) == (Status.TIMEOUT, "no answer", True)
        for index in (0, 1):
            assert prepared(pool, index, MINE) == (Status.TIMEOUT, "no answer", False)
    assert worker.asked.count("load") == 1


def test_what_loads_is_loaded_once_a_launch_and_a_built_in_with_its_preparation(
    worker, monkeypatch
):
    monkeypatch.setattr(worker, "hanging", None)
    with LaunchPool(WorkerSettings(), 5.0) as pool:
        for index in (0, 0, 1):
            assert prepared(pool, index, MINE) is None
            assert prepared(pool, index, "numpy") is None
    assert worker.asked.count("load") == 2
    assert worker.asked.count("prepare") == 6


def test_a_worker_that_died_between_two_cells_is_replaced(worker, monkeypatch):
    with LaunchPool(WorkerSettings(), 5.0) as pool:
        monkeypatch.setattr(worker, "hanging", None)
        assert prepared(pool, 0, "numpy") is None
        [first] = pool[0]._workers.values()
        monkeypatch.setattr(first, "alive", False)
        assert prepared(pool, 0, "numpy") is None
        [second] = pool[0]._workers.values()
    assert second is not first


class Clock:
    """Time that only waits move, and each answer by a millisecond."""

    def __init__(self):
        self.now, self.waits = 0.0, []

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.waits.append(round(seconds, 6))
        self.now += seconds


@pytest.fixture
def clock(worker, monkeypatch):
    clock, answer = Clock(), worker.call

    def call(*arguments, **keywords):
        clock.now += 0.001
        return answer(*arguments, **keywords)

    monkeypatch.setattr(worker, "hanging", None)
    monkeypatch.setattr(worker, "call", call)
    monkeypatch.setattr(launch, "time", clock)
    return clock


def test_a_sample_waits_for_the_threads_of_another_process_and_for_as_long_as_they_may_spin(clock):
    with LaunchPool(WorkerSettings(), 5.0) as pool:
        assert prepared(pool, 0, "numpy") is None
        pool[0].prepare("theirs", Arm(MINE))
        for arm in ("theirs", "theirs", "mine", "mine", "theirs"):
            pool[0].sample(arm, 1, 1)
        clock.now += 1.0
        pool[0].sample("mine", 1, 1)
    settle = WAIT_POLICIES["brief"].settle_seconds
    assert clock.waits == [settle, settle, 0.0]
