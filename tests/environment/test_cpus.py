"""Threads by default are those that a quota lets run, on whole cores first."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.config import Config, ConformanceConfig, DeviceConfig, ProblemConfig, TrackingConfig
from harness.config.validation import validated
from harness.environment import cpus
from harness.isolation import WorkerSettings

SMT = {0: "0,4", 1: "1,5", 2: "2,6", 3: "3,7", 4: "0,4", 5: "1,5", 6: "2,6", 7: "3,7"}
NEIGHBOURS = {0: "0-1", 1: "0-1", 2: "2-3", 3: "2-3"}


def machine(root: Path, siblings: dict[int, str]) -> Path:
    for cpu, listed in siblings.items():
        folder = root / f"sys/devices/system/cpu/cpu{cpu}/topology"
        folder.mkdir(parents=True)
        (folder / "thread_siblings_list").write_text(f"{listed}\n")
    return root


@pytest.mark.parametrize(
    ("siblings", "allowed", "preferred"),
    [
        (SMT, range(8), [7, 6, 5, 4, 3, 2, 1, 0]),
        (SMT, [0, 1, 4, 5], [5, 4, 1, 0]),
        (SMT, [0, 4, 7], [7, 4, 0]),
        (NEIGHBOURS, range(4), [3, 1, 2, 0]),
        (NEIGHBOURS, [0, 1, 2], [2, 1, 0]),
        ({}, range(3), [2, 1, 0]),
    ],
)
def test_one_cpu_of_each_core_comes_before_the_second_of_any(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    siblings: dict[int, str],
    allowed: list[int],
    preferred: list[int],
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(allowed))
    assert cpus.by_preference(machine(tmp_path, siblings)) == preferred


def test_two_workers_with_two_threads_each_have_whole_cores_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(4)))
    monkeypatch.setattr(cpus, "siblings", lambda cpu, _: NEIGHBOURS[cpu])
    assert [WorkerSettings(2, lane=lane).cpus for lane in range(2)] == [[1, 3], [0, 2]]


@pytest.mark.parametrize(
    ("quota", "threads", "taken"),
    [
        (None, 4, None),
        (4.0, 4, None),
        (9.0, 4, None),
        (2.5, 2, "2.5 of the 4 CPUs"),
        (1.0, 1, "1 of the 4 CPUs"),
        (0.5, 1, "0.5 of the 4 CPUs"),
    ],
)
def test_threads_by_default_are_as_many_as_the_quota_lets_run_and_what_it_takes_is_told(
    monkeypatch: pytest.MonkeyPatch, quota: float | None, threads: int, taken: str | None
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 2, 3})
    monkeypatch.setattr(cpus, "quota", lambda _: quota)
    assert cpus.usable() == threads
    assert (taken in cpus.limit()) if taken else cpus.limit() is None
    for given, expected in ((None, threads), (4, 4)):
        config = Config(
            task=ConformanceConfig(),
            problem=ProblemConfig(),
            device=DeviceConfig(threads=given),
            tracking=TrackingConfig(),
        )
        assert validated(config).device.threads == expected
