"""Readings come from files as the kernel writes them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.doctor import examine
from harness.doctor.readings import clock_step, take, torch_cuda, turbo
from harness.environment.counters import TICKS, Counters, count, work_elsewhere


def test_counters_are_those_of_the_cpus_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {1, 2})
    write(
        tmp_path / "proc/stat",
        "cpu 9 9 9 9 9 9 9 9 9 9\n"
        + "\n".join(f"cpu{cpu} {cpu}0 1 2 100 5 1 1 {cpu} 0 0" for cpu in range(3))
        + "\nintr 5\n",
    )
    write(tmp_path / "proc/vmstat", "pgpgin 8\npswpin 3\npswpout 4\n")
    write(tmp_path / "proc/self/cgroup", "0::/mine\n")
    write(tmp_path / "sys/fs/cgroup/mine/cpu.stat", "usage_usec 1\nnr_periods 9\nnr_throttled 6\n")
    assert count(tmp_path) == Counters(
        total=121 + 132, idle=210, stolen=3, swapped_pages=7, throttled=6
    )


def test_work_and_steal_are_shares_of_the_time_that_passed() -> None:
    passed = Counters(300, 150, 30, 5, 2).since(Counters(100, 50, 10, 1, 1))
    assert passed == Counters(200, 100, 20, 4, 1)
    assert passed.share(passed.stolen) == pytest.approx(0.1)
    assert Counters(0, 0, 0, 0, 0).share(0) == 0


def test_work_elsewhere_leaves_out_this_process() -> None:
    second_of_two_cpus = Counters(
        total=2 * TICKS, idle=TICKS // 2, stolen=0, swapped_pages=0, throttled=0
    )
    assert work_elsewhere(second_of_two_cpus, own=0.0, cpus=2) == pytest.approx(1.5)
    assert work_elsewhere(second_of_two_cpus, own=1.0, cpus=2) == pytest.approx(0.5)
    assert work_elsewhere(second_of_two_cpus, own=1.6, cpus=2) == 0


@pytest.mark.parametrize(
    ("line", "expected"), [("cuda: Optional[str] = '12.8'", "12.8"), ("cuda = None", None)]
)
def test_torchs_cuda_is_read_without_importing_torch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, expected: str | None
) -> None:
    write(tmp_path / "version.py", f"__version__ = '2.13'\n{line}\ngit_version = 'a'\n")
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda _: SimpleNamespace(origin=str(tmp_path / "__init__.py"))
    )
    assert torch_cuda() == expected


def test_a_machine_without_readable_files_can_still_be_examined(tmp_path: Path) -> None:
    seen = take(seconds=0, root=tmp_path)
    assert (seen.governor, seen.turbo, seen.huge_pages, seen.clock_source, seen.work_elsewhere) == (
        None,
    ) * 4 + (0,)
    assert all(finding.message for finding in examine(seen))


def test_readings_of_this_machine_can_be_examined() -> None:
    seen = take(seconds=0)
    assert seen.memory_available > 0
    assert 0 < seen.clock_step < 1
    assert {"CPU", "memory", "disk"} <= {finding.subject for finding in examine(seen)}


@pytest.mark.parametrize(
    ("file", "content", "expected"),
    [
        ("intel_pstate/no_turbo", "0", True),
        ("intel_pstate/no_turbo", "1", False),
        ("cpufreq/boost", "1", True),
        ("cpufreq/boost", "0", False),
        ("unrelated", "1", None),
    ],
)
def test_turbo_is_read_from_either_driver(
    tmp_path: Path, file: str, content: str, expected: bool | None
) -> None:
    write(tmp_path / "sys/devices/system/cpu" / file, content)
    assert turbo(tmp_path) is expected


def test_the_clocks_step_is_the_least_that_is_seen() -> None:
    readings = iter(range(10**6))
    assert clock_step(lambda: next(readings) // 10 * 5000) == pytest.approx(5e-6)


def write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
