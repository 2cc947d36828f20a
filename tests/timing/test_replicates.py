"""A launch is a replicate: it starts anew all that differs from one process to the next."""

from __future__ import annotations

from inspect import signature

import pytest

from harness.isolation import WorkerProcess, WorkerSettings
from harness.isolation.process import execute
from harness.timing import launch


def test_a_launch_starts_new_interpreters_and_forks_none(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[object, ...]] = []
    monkeypatch.setattr(launch, "WorkerProcess", lambda *arguments: started.append(arguments))
    settings = WorkerSettings(threads=1)
    launch.Launch(settings, timeout=1.0)._worker(launch.SHARED)
    assert started == [(launch.WORKER, settings)]  # and so by what is the default
    assert signature(WorkerProcess).parameters["start"].default is execute
