"""Launches live from job to job of a command, as long as all that they were started with is the
same; and no longer than the command.
"""

from __future__ import annotations

import os
import signal
from contextlib import closing, suppress
from dataclasses import replace

import psutil
import pytest

from harness.isolation import Arm, WorkerSettings
from harness.timing import launch_pool
from harness.timing.launch_pool import MOST_KEPT, KeptLaunches
from harness.timing.messages import CellSetup
from implementations.interface import Phase, Problem

pytestmark = pytest.mark.usefixtures("forked_launches")
SETUP = CellSetup(Problem((4, 3, 5)), Phase.INFERENCE, "layer", "fresh", "cpu", 0, "normal", 1)
ONE = WorkerSettings(threads=1)
SOURCES = {"torch_native": "0123"}


@pytest.fixture
def launches():
    with closing(KeptLaunches()) as kept:
        kept.keep()
        yield kept


def job(launches, settings=ONE, timeout=30.0, sources=SOURCES):
    """Measures next to nothing in one launch; the ids of its processes."""
    with launches.pool(settings, timeout, sources) as pool:
        pool[0].open(SETUP)
        pool[0].prepare("torch_native", Arm("torch_native"))
        return pool[0].processes


def test_jobs_alike_are_measured_by_the_same_processes(launches):
    first = job(launches)
    assert job(launches) == first


@pytest.mark.parametrize(
    "other",
    [
        {"settings": WorkerSettings(threads=1, allocator="default")},
        {"timeout": 31.0},
        {"sources": {"torch_native": "4567"}},
    ],
    ids=lambda other: next(iter(other)),
)
def test_a_job_of_other_settings_or_sources_gets_others(launches, other):
    first = job(launches)
    assert set(job(launches, **other)).isdisjoint(first)
    assert job(launches) == first


def test_a_job_in_another_environment_gets_others(launches, monkeypatch):
    first = job(launches)
    monkeypatch.setenv("OMP_DISPLAY_ENV", "false")
    assert set(job(launches)).isdisjoint(first)


def test_the_pool_that_was_longest_out_of_use_ends_first(launches):
    pids = [job(launches, timeout=30.0 + number) for number in range(MOST_KEPT + 1)]
    alive = [any(map(psutil.pid_exists, each)) for each in pids]
    assert alive == [False, *[True] * MOST_KEPT]


def test_a_process_that_died_between_two_jobs_is_replaced_and_costs_nothing(launches):
    [first] = job(launches)
    os.kill(first, signal.SIGKILL)
    with suppress(psutil.NoSuchProcess):
        psutil.Process(first).wait(30)
    [second] = job(launches)
    assert second != first


def test_where_memory_is_short_a_launch_takes_the_place_of_the_one_before(launches, monkeypatch):
    def begin(number):
        pool.start_one(number, [Arm("torch_native")])
        pool[number].open(SETUP)
        pool[number].prepare("torch_native", Arm("torch_native"))
        return pool[number].processes

    with launches.pool(ONE, 30.0, SOURCES) as pool:
        first, second = begin(0), begin(1)
        monkeypatch.setattr(launch_pool, "LEAST_FREE", 2.0)
        third = begin(2)
        assert [any(map(psutil.pid_exists, each)) for each in (first, second, third)] == [
            True,
            False,
            True,
        ]
        assert begin(0) == first
        assert begin(1) != second


def test_outside_a_command_processes_end_with_their_job():
    pids = job(KeptLaunches())
    assert pids
    assert not any(map(psutil.pid_exists, pids))


def test_nothing_outlives_the_command(launches):
    pids = job(launches) + job(launches, timeout=31.0)
    launches.close()
    assert len(pids) == 2
    assert not any(map(psutil.pid_exists, pids))


def test_a_job_that_is_left_in_the_midst_leaves_no_process_to_the_next(launches):
    pids = []

    def interrupted(pool):
        pool[0].open(SETUP)
        pool[0].prepare("torch_native", Arm("torch_native"))
        pids.extend(pool[0].processes)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), launches.pool(ONE, 30.0, SOURCES) as pool:
        interrupted(pool)
    assert pids
    assert not any(map(psutil.pid_exists, pids))
    assert set(job(launches)).isdisjoint(pids)


def test_a_job_gives_back_the_memory_of_a_cell_that_no_sample_ended(launches):
    large = replace(SETUP, problem=Problem((64, 64, 64, 64)))
    with launches.pool(ONE, 30.0, SOURCES) as pool:
        pool[0].open(large)
        pool[0].prepare("torch_native", Arm("torch_native"))
        [pid] = pool[0].processes
        held = psutil.Process(pid).memory_info().rss
    assert psutil.Process(pid).memory_info().rss < held - 2**25  # the input alone is twice that
