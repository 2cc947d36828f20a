"""A launch is a replicate: it starts anew all that differs from one process to the next."""

from __future__ import annotations

from inspect import signature

import pytest

from harness.isolation import Arm, WorkerProcess, WorkerSettings
from harness.isolation.process import execute
from harness.timing import launch
from harness.timing.hosts import SHARED


def test_a_launch_starts_new_interpreters_and_forks_none(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[object, ...]] = []
    monkeypatch.setattr(launch, "WorkerProcess", lambda *given, **_: started.append(given))
    settings = WorkerSettings(threads=1)
    launch.Launch(settings, timeout=1.0)._worker(SHARED)
    launch.Launch(settings, timeout=1.0).begin_start([Arm("numpy")])
    assert started == [(launch.WORKER, settings)] * 2  # and so by what is the default
    assert signature(WorkerProcess).parameters["start"].default is execute
