"""The environment is read as the kernel writes it, holds nothing private, and changes its key when
it should.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.environment import Environment, capture, machine, software
from harness.environment.software import SourceState
from harness.records import from_plain

if TYPE_CHECKING:
    from collections.abc import Iterator

CPUINFO = """processor\t: 0
model name\t: Some CPU @ 2.00GHz
cpu MHz\t\t: 2000.0
flags\t\t: fpu avx avx2 fma avx512f hypervisor

processor\t: 1
model name\t: Some CPU @ 2.00GHz
cpu MHz\t\t: 3000.0
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of four CPUs on two cores, made of files."""
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 2, 3})
    cpu = tmp_path / "sys/devices/system/cpu"
    for number in range(4):
        write(
            cpu / f"cpu{number}/topology/thread_siblings_list", f"{number % 2},{number % 2 + 2}\n"
        )
        write(cpu / f"cpu{number}/cpufreq/scaling_governor", "powersave\n")
    for index, cache in enumerate([("1", "Data", "48K"), ("2", "Unified", "2048K")]):
        for name, value in zip(("level", "type", "size"), cache, strict=True):
            write(cpu / f"cpu0/cache/index{index}/{name}", value)
    write(tmp_path / "proc/cpuinfo", CPUINFO)
    write(
        tmp_path / "proc/meminfo",
        "MemTotal:       16300000 kB\nMemAvailable:    8000000 kB\nHugePages_Total: 0\n",
    )
    write(tmp_path / "proc/uptime", "12.5 20.0\n")
    write(tmp_path / "sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n")
    write(tmp_path / "etc/os-release", 'NAME="Some"\nPRETTY_NAME="Some Linux 1"\n')
    return tmp_path


def write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


def leaves(data: Any) -> Iterator[str]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield from (key, *leaves(value))
    elif isinstance(data, list):
        for value in data:
            yield from leaves(value)
    else:
        yield str(data)


def test_the_machine_is_read_from_the_kernels_files(root: Path) -> None:
    captured = capture(root)
    assert captured.stable["processor"] == {
        "model": "Some CPU @ 2.00GHz",
        "machine": platform.machine(),
        "virtual": True,
        "instruction_sets": ["avx", "fma", "avx2", "avx512f"],
        "logical": 4,
        "cores": 2,
        "quota": None,
        "caches": {"L1d": "48K", "L2": "2048K"},
    }
    assert captured.stable["memory_gib"] == 16
    assert captured.stable["huge_pages"] == "madvise"
    assert from_plain(captured.stable["os"], dict[str, str])["name"] == "Some Linux 1"
    assert captured.volatile["governor"] == "powersave"
    assert captured.volatile["frequency_mhz"] == pytest.approx(2500)
    assert captured.volatile["uptime_seconds"] == pytest.approx(12.5)


def test_a_machine_that_tells_nothing_is_captured_all_the_same(tmp_path: Path) -> None:
    captured = capture(tmp_path)
    assert from_plain(captured.stable["processor"], dict[str, object])["cores"] is None
    assert captured.stable["huge_pages"] is None
    assert captured.volatile["frequency_mhz"] is None


@pytest.mark.parametrize(
    ("group", "files", "expected"),
    [
        (
            "0::/a/b",
            {"a/b/cpu.max": "max 100000", "a/cpu.max": "150000 100000", "cpu.max": "400000 100000"},
            1.5,
        ),
        ("0::/a/b", {"a/b/cpu.max": "300000 100000", "a/cpu.max": "200000 100000"}, 2.0),
        ("0::/a", {"a/cpu.max": "max 100000"}, None),
        ("0::/seen/by/the/host", {"cpu.max": "50000 100000"}, 0.5),
        (
            "4:cpu,cpuacct:/a",
            {"cpu,cpuacct/a/cpu.cfs_quota_us": "30000", "cpu,cpuacct/a/cpu.cfs_period_us": "10000"},
            3.0,
        ),
        ("4:cpu:/a", {"cpu/a/cpu.cfs_quota_us": "-1", "cpu/a/cpu.cfs_period_us": "100000"}, None),
        ("4:cpuset:/a", {"cpuset/a/cpu.max": "50000 100000"}, None),
    ],
)
def test_the_quota_is_the_least_of_all_groups_of_either_version(
    root: Path, group: str, files: dict[str, str], expected: float | None
) -> None:
    write(root / "proc/self/cgroup", group + "\n")
    for name, content in files.items():
        write(root / "sys/fs/cgroup" / name, content + "\n")
    assert machine.processor(root).quota == expected


def test_available_memory_is_no_more_than_the_control_group_allows(root: Path) -> None:
    assert machine.memory(root)["MemAvailable"] == 8_000_000 * 1024
    write(root / "proc/self/cgroup", "0::/a\n")
    write(root / "sys/fs/cgroup/a/memory.max", f"{2**30}\n")
    assert machine.memory(root)["MemAvailable"] == 2**30
    assert machine.memory_total(root) == 2**30


def test_the_environment_is_plain_data() -> None:
    captured = capture()
    for part in (captured.stable, captured.volatile):
        assert json.loads(json.dumps(part, allow_nan=False)) == part


def test_the_environment_names_no_host_no_user_and_no_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GLIBC_TUNABLES", f"glibc.malloc.file={tmp_path}/private/tunables")
    monkeypatch.setenv("CXX", str(compiler_in(tmp_path / "home/someone")))
    captured = capture()
    values = [*leaves(captured.stable), *leaves(captured.volatile)]
    assert "glibc.malloc.file=tunables" in values
    assert "mine 1.0" in values
    assert platform.node() not in values
    assert not [
        leaf
        for leaf in values
        if "/" in leaf.removeprefix("Debian GNU/Linux") or str(Path.home()) in leaf
    ]


def compiler_in(folder: Path) -> Path:
    path = folder / "mine"
    write(path, "#!/bin/sh\necho $0 1.0\n")
    path.chmod(0o755)
    return path


def test_the_fingerprint_is_of_the_stable_part_alone() -> None:
    first = capture()
    changed = replace(first, volatile={**first.volatile, "load": [99.0, 99.0, 99.0]})
    assert changed.fingerprint == first.fingerprint
    assert capture().fingerprint == first.fingerprint
    assert (
        replace(first, stable={**first.stable, "python": "CPython 4.0"}).fingerprint
        != first.fingerprint
    )
    assert len(Environment({}, {}).fingerprint) == 16


def test_a_variable_that_picks_other_code_changes_the_fingerprint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("ATEN_CPU_CAPABILITY", raising=False)
    without = capture().fingerprint
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "avx2")
    assert capture().fingerprint != without


def test_folders_are_taken_out_of_every_part_of_a_value() -> None:
    assert software.switches(
        {"LD_PRELOAD": "/home/me/a.so:/opt/b.so", "XLA_FLAGS": "", "OTHER": "1"}
    ) == {"LD_PRELOAD": "a.so:b.so"}


def test_versions_are_of_installed_packages_only() -> None:
    found = software.versions(("numpy", "no-such-package"))
    assert list(found) == ["numpy"]


def test_there_is_no_compiler_where_none_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert software.compiler() is None


@pytest.mark.parametrize(
    ("status", "expected"), [(0, ["A GPU, 570.1, 80 MiB", "B GPU, 570.1, 40 MiB"]), (9, [])]
)
def test_gpus_are_those_that_the_driver_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, expected: list[str]
) -> None:
    write(
        tmp_path / "nvidia-smi",
        f"#!/bin/sh\necho A GPU, 570.1, 80 MiB\necho B GPU, 570.1, 40 MiB\nexit {status}\n",
    )
    (tmp_path / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert machine.gpus() == expected


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A git checkout with one source file and one report."""
    write(tmp_path / "harness/a.py", "a = 1\n")
    write(tmp_path / "reports/old.md", "slow\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    return tmp_path


def git(tree: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    done = subprocess.run(
        ["git", "-C", str(tree), *identity, *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_a_clean_checkout_is_its_commit(tree: Path) -> None:
    commit = git(tree, "rev-parse", "HEAD")
    assert software.source(tree) == SourceState(commit, dirty=False, difference=None)


def test_a_changed_and_an_untracked_source_file_make_a_tree_dirty_each_in_its_own_way(
    tree: Path,
) -> None:
    write(tree / "harness/a.py", "a = 2\n")
    changed = software.source(tree)
    write(tree / "harness/b.py", "b = 1\n")
    added = software.source(tree)
    write(tree / "harness/b.py", "b = 2\n")
    edited = software.source(tree)
    assert all(state.dirty for state in (changed, added, edited))
    assert len({state.difference for state in (changed, added, edited)}) == 3


def test_a_file_that_does_not_run_leaves_a_tree_clean(tree: Path) -> None:
    write(tree / "reports/new.md", "fast\n")
    write(tree / "reports/old.md", "slower\n")
    assert software.source(tree).dirty is False


def test_the_difference_applied_to_the_commit_is_the_tree_that_ran_and_leaves_the_index_alone(
    tree: Path,
) -> None:
    write(tree / "harness/a.py", "a = 2\n")
    write(tree / "harness/new folder/b.py", "b = 1\n")
    (tree / "harness/c.bin").write_bytes(bytes(range(256)))
    status = git(tree, "status", "--porcelain")
    changes = software.difference(tree)
    assert git(tree, "status", "--porcelain") == status
    again = tree / "again"
    git(tree, "clone", "-q", str(tree), str(again))
    (again / "changes").write_text(changes)
    git(again, "apply", "changes")
    for name in ("a.py", "new folder/b.py", "c.bin"):
        assert (again / "harness" / name).read_bytes() == (tree / "harness" / name).read_bytes()


def test_a_clean_tree_has_no_difference(tree: Path) -> None:
    write(tree / "reports/new.md", "fast\n")
    assert software.difference(tree) == ""


def test_installed_packages_are_named_with_their_versions() -> None:
    lines = software.installed().splitlines()
    assert f"numpy=={version('numpy')}" in lines
    assert len(lines) == len(set(lines))


def test_a_package_inside_somebody_elses_checkout_has_no_commit(tree: Path) -> None:
    assert software.source(tree / "harness") == SourceState(None, None, None)


def test_a_hooks_git_variables_do_not_lead_astray(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = git(tree, "rev-parse", "HEAD")
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert software.source(tree).commit == commit


def test_capturing_the_environment_imports_nothing_heavy() -> None:
    code = (
        "import sys, harness.environment as e, harness.doctor as d; e.capture(); "
        "d.examine(d.take(0));print(*{'torch', 'numpy', 'pandas', 'mlflow', 'hydra'} & "
        "set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert not done.stdout.strip()
