"""A pilot's launches start side by side, and have nothing left to do when the first is measured."""

from __future__ import annotations

import pytest

from harness.isolation import Arm, Place, WorkerDied, WorkerError, WorkerSettings, WorkerUnavailable
from harness.isolation.messages import RemoteFailure
from harness.timing import launch
from harness.timing.launch_pool import MOST_AHEAD, LaunchPool

NUMPY = Arm("numpy")
ELSEWHERE = Arm("numpy", Place(python="../env/bin/python"))
MISSING = Arm({"_target_": "no_such_module.Mine"})
CAN_BE_LOADED = Arm({"_target_": "examples.good_bn.Good"})


class Worker:
    """Keeps a log of what becomes of all workers; ``trouble`` is what one of them raises where."""

    log: list[tuple[object, ...]]
    trouble: dict[str, BaseException]
    alive = True

    def __init__(self, module, settings, *, awaited=True):
        self.number = sum(event == "begun" for event, *_ in self.log)
        self._do("begun")
        if awaited:
            self.await_start()

    def await_start(self):
        self._do("started")

    def call(self, service, reply, timeout, **arguments):
        self._do(service, *arguments.values())

    def close(self):
        self._do("closed")

    def _do(self, event, *details):
        self.log.append((event, self.number, *details))
        if event in self.trouble and self.number == 0:
            raise self.trouble[event]


@pytest.fixture
def log(monkeypatch):
    monkeypatch.setattr(Worker, "log", [], raising=False)
    monkeypatch.setattr(Worker, "trouble", {}, raising=False)
    monkeypatch.setattr(launch, "WorkerProcess", Worker)
    return Worker.log


def events(log, kind):
    return [number for event, number, *_ in log if event == kind]


def started(count, arms=(NUMPY,), threads=2):
    with LaunchPool(WorkerSettings(threads=threads), 5.0) as pool:
        pool.start(count, arms)
        return [len(pool[index]._workers) for index in range(count)]


def test_as_many_as_have_cpus_are_begun_before_the_first_is_waited_for(log, monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    started(4, threads=1)
    assert [event for event, *_ in log][:2] == ["begun", "begun"]
    assert events(log, "begun") == [0, 1, 2, 3]
    assert max(map(log.index, [("begun", 0), ("begun", 1)])) < log.index(("started", 0))
    assert log.index(("load_ahead", 1, ["numpy"])) < log.index(("begun", 2))


def test_each_has_imported_what_its_arms_need_before_anything_is_measured(log):
    assert started(3, [NUMPY, Arm("torch_native"), NUMPY]) == [1, 1, 1]
    loaded = [names for event, _, *names in log if event == "load_ahead"]
    assert loaded == [[["numpy", "torch_native"]]] * 3


def test_a_second_start_begins_only_what_is_not_there(log):
    with LaunchPool(WorkerSettings(threads=2), 5.0) as pool:
        pool.start(2, [NUMPY])
        pool.start(3, [NUMPY])
    assert events(log, "begun") == [0, 1, 2]


def test_an_implementation_from_outside_gets_a_process_that_loads_nothing_ahead(log):
    assert started(1, [NUMPY, CAN_BE_LOADED]) == [2]
    loaded = [names for event, _, *names in log if event == "load_ahead"]
    assert sorted(loaded) == [[[]], [["numpy"]]]


def test_what_cannot_be_loaded_is_left_to_its_arm(log):
    assert started(1, [MISSING]) == [0]
    assert log == []


def test_what_runs_elsewhere_starts_too_and_loads_nothing_ahead(log):
    assert started(1, [ELSEWHERE, NUMPY]) == [2]
    loaded = [names for event, _, *names in log if event == "load_ahead"]
    assert sorted(loaded) == [[[]], [["numpy"]]]


def test_a_place_where_nothing_starts_is_left_to_its_arm(log):
    Worker.trouble["begun"] = WorkerUnavailable("there is no ../env/bin/python")
    assert started(1, [ELSEWHERE]) == [0]


def test_a_later_launch_starts_its_processes_side_by_side(log):
    with LaunchPool(WorkerSettings(threads=1), 5.0) as pool:
        pool.start_one(9, [NUMPY, ELSEWHERE])
    assert [event for event, *_ in log][:2] == ["begun", "begun"]


@pytest.mark.parametrize("event", ["started", "load_ahead"])
def test_one_that_dies_is_started_again_when_it_is_needed(event, log):
    Worker.trouble[event] = WorkerDied("of SIGSEGV")
    assert started(2) == [0, 1]


def test_one_that_raises_while_it_imports_lives_on(log):
    Worker.trouble["load_ahead"] = WorkerError(RemoteFailure("KeyError", "x", "y.py:1"))
    assert started(2) == [1, 1]


def test_an_interrupt_ends_those_that_were_begun(log):
    Worker.trouble["started"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        started(2)
    assert 1 in events(log, "closed")


def test_launches_whose_turn_may_never_come_are_not_started(log):
    started(MOST_AHEAD + 1)
    assert len(events(log, "begun")) == MOST_AHEAD
