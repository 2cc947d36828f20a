"""Work side by side: every item is answered once, workers are few, and none outlives its lane. Most
workers are fakes.
"""

from __future__ import annotations

import os
import queue
import threading
from collections import Counter

import pytest

from harness.conformance.messages import CaseOutcome
from harness.isolation import (
    WorkerDied,
    WorkerKind,
    WorkerProcess,
    WorkerSettings,
    WorkerTimedOut,
    side_by_side,
    worker_pool,
)
from harness.records import Status

ONE, TWO = WorkerSettings(threads=1), WorkerSettings(threads=2)


def kind(used_for, settings=ONE, module="a.worker"):
    return WorkerKind(module, settings, used_for)


GROUPS = {
    kind("numpy"): ["a", "b", "c", "d"],
    kind("numpy", TWO): ["e"],
    kind("torch"): ["f", "g", "h"],
    kind("jax"): [],
}
ITEMS = [item for items in GROUPS.values() for item in items]


class FakeWorker:
    """A worker that answers with its number, dies and hangs when asked to, and can be killed in a
    call.
    """

    def __init__(self, module, settings, start=None):
        self.settings, self.calls = settings, 0
        self.alive, self.closed, self.killed = True, False, threading.Event()
        self.abandoned = False  # in a call that nobody ended
        self.process = self
        STARTED.append(self)

    def kill(self):
        self.alive = False
        self.killed.set()

    def call(self, service, reply, timeout, on_progress=None, **arguments):
        self.calls += 1
        if service == "die" or not self.alive:
            self.kill()
            raise WorkerDied("the worker died")
        if service == "overdue":
            self.kill()
            raise WorkerTimedOut("no answer")
        if service == "wait":
            self.abandoned = not self.killed.wait(10)
            raise WorkerDied("the worker was killed")
        return STARTED.index(self)

    def close(self):
        self.kill()
        self.closed = True


STARTED: list[FakeWorker] = []


@pytest.fixture(autouse=True)
def _fake_workers(monkeypatch):
    STARTED.clear()
    monkeypatch.setattr(worker_pool, "WorkerProcess", FakeWorker)


def asked(service="answer"):
    """Work that asks its worker, and gives the item with what that said."""
    return lambda call, item: (item, call(service, int, 1.0, item=item))


@pytest.mark.parametrize("number", [1, 2, 3, 20])
def test_every_item_is_answered_once(number):
    answers = list(side_by_side(GROUPS, asked(), number))
    assert Counter(item for item, _ in answers) == Counter(ITEMS)


@pytest.mark.parametrize("number", [1, 2, 3, 20])
def test_every_worker_is_closed_at_the_end(number):
    list(side_by_side(GROUPS, asked(), number))
    assert STARTED
    assert all(worker.closed for worker in STARTED)


def test_no_item_is_no_work():
    assert list(side_by_side({kind("numpy"): []}, asked(), 2)) == []
    assert STARTED == []


def test_a_lane_stays_with_a_group_to_its_end_so_that_it_starts_one_worker_for_each():
    answers = list(side_by_side(GROUPS, asked(), 1))
    assert len(STARTED) == 3
    served = [worker for _, worker in answers]
    assert served == sorted(served)  # never back to an earlier worker
    assert Counter(served) == {0: 4, 1: 3, 2: 1}


def test_the_group_with_most_left_comes_first():
    assert [item for item, _ in side_by_side(GROUPS, asked(), 1)] == [
        "a",
        "b",
        "c",
        "d",
        "f",
        "g",
        "h",
        "e",
    ]


def test_a_worker_is_set_up_as_its_group_wants():
    settings = {item: STARTED[worker].settings for item, worker in side_by_side(GROUPS, asked(), 2)}
    assert settings == {item: wanted.settings for wanted, items in GROUPS.items() for item in items}


def test_a_lane_that_has_nothing_else_to_do_helps_where_much_is_left():
    both = threading.Barrier(2, timeout=30)

    def together(call, item):
        if item < 2:
            both.wait()  # passes only when two lanes are at work on the one group
        return call("answer", int, 1.0)

    answers = list(
        side_by_side({kind("numpy"): range(worker_pool.WORTH_A_WORKER + 2)}, together, 2)
    )
    assert set(answers) == {0, 1}
    assert len(answers) == worker_pool.WORTH_A_WORKER + 2


def test_a_lane_may_end_while_another_is_at_its_last_item():
    begun, served = threading.Event(), queue.SimpleQueue()

    def work(call, item):
        if item == "short":
            assert begun.wait(30)
            served.put(STARTED[call("answer", int, 1.0)])
        else:
            begun.set()
            # until the other lane has closed its worker
            assert served.get(timeout=30).killed.wait(30)
        return item

    groups = {kind("numpy"): ["short"], kind("torch"): ["long"]}
    assert list(side_by_side(groups, work, 2)) == ["short", "long"]


def test_it_starts_no_worker_where_little_is_left(monkeypatch):
    taken, found_nothing = worker_pool._Backlog.next_item, threading.Semaphore(0)

    def noting(backlog, current):
        job = taken(backlog, current)
        if job is None:
            found_nothing.release()
        return job

    def work(call, item):
        if item == 0:
            for _ in range(4):
                assert found_nothing.acquire(timeout=30)  # all the other lanes have looked
        return call("answer", int, 1.0)

    monkeypatch.setattr(worker_pool._Backlog, "next_item", noting)
    answers = list(side_by_side({kind("numpy"): range(worker_pool.WORTH_A_WORKER)}, work, 5))
    assert answers == [0] * worker_pool.WORTH_A_WORKER
    assert len(STARTED) == 1


@pytest.mark.parametrize(("service", "error"), [("die", WorkerDied), ("overdue", WorkerTimedOut)])
def test_a_worker_that_is_gone_is_replaced_for_the_next_item(service, error):
    def work(call, item):
        try:
            return call(service if item == "b" else "answer", int, 1.0)
        except error:
            return "gone"

    assert list(side_by_side({kind("numpy"): list("abc")}, work, 1)) == [0, "gone", 1]
    assert [worker.closed for worker in STARTED] == [True, True]


@pytest.mark.parametrize("number", [1, 2])
def test_an_error_of_the_work_is_raised_and_the_workers_die(number):
    def work(call, item):
        call("answer", int, 1.0)
        raise KeyError(item)

    with pytest.raises(KeyError):
        list(side_by_side(GROUPS, work, number))
    assert all(worker.closed for worker in STARTED)
    assert sum(worker.calls for worker in STARTED) <= number


def test_an_error_while_another_lane_is_in_a_call_ends_that_call():
    waiting = threading.Event()

    def work(call, item):
        if item == "a":
            waiting.set()
            return call("wait", int, 1.0)
        assert waiting.wait(30)
        raise KeyError(item)

    with pytest.raises(KeyError, match="b"):
        list(side_by_side({kind("numpy"): ["a"], kind("torch"): ["b"]}, work, 2))
    assert all(worker.closed and not worker.abandoned for worker in STARTED)


def test_closing_midway_kills_the_workers_and_starts_no_more():
    waiting = threading.Event()

    def work(call, item):
        if item == "a":
            return call("answer", int, 1.0)
        waiting.set()
        try:
            return call("wait", int, 1.0)
        except WorkerDied:
            return "a record says so"

    answers = side_by_side({kind("numpy"): list("abcdefgh"), kind("torch"): list("ijk")}, work, 2)
    next(answers)
    assert waiting.wait(30)
    answers.close()
    assert all(worker.closed and not worker.abandoned for worker in STARTED)
    assert len(STARTED) <= 2
    assert sum(worker.calls for worker in STARTED) <= 3
    assert not [thread for thread in threading.enumerate() if thread.name.endswith("(_serve)")]


def test_a_lane_that_was_stopped_does_not_ask_a_worker_that_it_starts():
    lane = worker_pool.Lane()
    lane.stop()
    with pytest.raises(WorkerDied):
        lane.call(kind("numpy"), "answer", int, 1.0)
    assert all(not worker.alive for worker in STARTED)


def test_a_generator_that_nobody_asked_starts_nothing():
    side_by_side(GROUPS, asked(), 2).close()
    assert STARTED == []


def test_real_workers_are_gone_when_the_generator_is_closed(monkeypatch):
    real = []

    def started(module, settings, start):
        real.append(WorkerProcess(module, settings, start))
        return real[-1]

    def work(call, item):
        outcome = call("check", CaseOutcome, 60.0, implementation="numpy", case=item, device="cpu")
        return outcome.status

    monkeypatch.setattr(worker_pool, "WorkerProcess", started)
    checking = kind("numpy", module="harness.conformance.worker")
    cases = ["edges/eps_0/inference", "samples/rank_3", "onnx/example"]
    answers = side_by_side({checking: cases}, work, 1)
    assert next(answers) is Status.OK
    answers.close()
    assert len(real) == 1
    with pytest.raises(ProcessLookupError):
        os.kill(real[0].process.pid, 0)


@pytest.mark.parametrize(
    ("allowed", "threads", "expected"),
    [
        ({0, 1, 2, 3}, 1, [[3], [2], [1], [0]]),
        ({0, 1, 2, 3}, 2, [[2, 3], [0, 1], [2, 3]]),
        ({4, 5}, 2, [[4, 5], [4, 5]]),
        ({0, 1, 2}, 2, [[1, 2], [1, 2]]),
    ],
)
def test_workers_in_different_lanes_have_cpus_of_their_own_as_long_as_there_are_any(
    monkeypatch, allowed, threads, expected
):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: allowed)
    assert [WorkerSettings(threads, lane=lane).cpus for lane in range(len(expected))] == expected
