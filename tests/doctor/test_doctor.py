"""The doctor's judgements on made-up readings, and that readings are read as the kernel writes
them.
"""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from harness.doctor import Finding, Readings, examine, to_data
from harness.doctor.readings import clock_step, take, torch_cuda, turbo
from harness.environment.counters import TICKS, Counters, count, work_elsewhere
from harness.environment.machine import Processor
from harness.training.datasets import DataError

if TYPE_CHECKING:
    from pathlib import Path

GIB = 2**30
PROCESSOR = Processor(
    model="A CPU",
    machine="x86_64",
    virtual=False,
    instruction_sets=["avx2", "avx512_bf16", "avx512_fp16"],
    logical=4,
    cores=4,
    quota=None,
    caches={"L2": "1024K"},
)
CALM = Readings(
    processor=PROCESSOR,
    gpus=["NVIDIA H200, 570.1, 143771 MiB"],
    datasets={"digits": "scikit-learn 1.9"},
    torch_cuda="12.8",
    compiler="g++ 12",
    python_headers=True,
    switches={},
    overridden=[],
    load=0.1,
    busy=[("sshd", 7, 0.01)],
    work_elsewhere=0.05,
    steal=0.0,
    throttled=0,
    swapped_pages=0,
    swap_used=0,
    memory_available=64 * GIB,
    disk_free=100 * GIB,
    governor="performance",
    turbo=False,
    huge_pages="madvise",
    clock_source="tsc",
    clock_step=3e-8,
)


def calm_but(**changes: Any) -> Readings:
    processor = {name: value for name, value in changes.items() if name in vars(PROCESSOR)}
    others = {name: value for name, value in changes.items() if name not in processor}
    return replace(CALM, processor=replace(PROCESSOR, **processor), **others)


def the(subject: str, readings: Readings) -> Finding:
    [found] = [finding for finding in examine(readings) if finding.subject == subject]
    return found


def test_a_calm_machine_gets_nothing_but_good_findings() -> None:
    found = examine(CALM)
    assert [finding for finding in found if finding.state != "good"] == []
    assert {
        "CPU",
        "GPU",
        "C++ compiler",
        "other work",
        "CPU quota",
        "frequency",
        "memory",
        "disk",
        "clock",
    } <= {finding.subject for finding in found}


@pytest.mark.parametrize(
    ("changes", "subject", "state", "said", "remedy"),
    [
        ({"logical": 1, "cores": 1}, "CPU", "notice", "threads cannot be compared", "cpuset"),
        (
            {"instruction_sets": ["avx"]},
            "instruction sets",
            "notice",
            "avx; without AVX2",
            "host's CPU model",
        ),
        ({"instruction_sets": ["avx2"]}, "bfloat16", "notice", "conversions", "AVX512_BF16"),
        (
            {"instruction_sets": ["avx2", "avx512_bf16"]},
            "float16",
            "notice",
            "conversions",
            "AVX512_FP16",
        ),
        ({"gpus": []}, "GPU", "notice", "no NVIDIA driver", "driver"),
        ({"torch_cuda": None}, "GPU", "notice", "built without CUDA", "pytorch.org"),
        ({"compiler": None}, "C++ compiler", "bad", "torch_compile cannot run", "g++"),
        ({"python_headers": False}, "C++ compiler", "bad", "Python.h", "python3-dev"),
        (
            {"datasets": {"digits": DataError("pip install scikit-learn")}},
            "data set digits",
            "notice",
            "not here",
            "pip install",
        ),
        (
            {"work_elsewhere": 1.0, "busy": [("make", 12, 0.97)]},
            "other work",
            "bad",
            "make (process 12) 97%",
            "stop",
        ),
        ({"work_elsewhere": 1.0}, "other work", "bad", "cannot be seen", "stop"),
        ({"busy": [("make", 12, 0.97)]}, "other work", "notice", "does not use", "bandwidth"),
        ({"load": 3.0}, "other work", "notice", "3.0", "wait"),
        ({"steal": 0.05}, "steal", "bad", "5%", "another time"),
        ({"quota": 2.5}, "CPU quota", "bad", "2.5 of 4", "device.threads=2"),
        ({"quota": 0.5}, "CPU quota", "bad", "0.5 of 4", "raise"),
        ({"quota": 4.0, "throttled": 3}, "CPU quota", "bad", "3 times", "raise"),
        ({"governor": "powersave"}, "frequency", "notice", "powersave", "cpupower"),
        ({"governor": None}, "frequency", "notice", "cannot be read", "firmware"),
        ({"turbo": True}, "turbo", "notice", "temperature", "no_turbo"),
        ({"virtual": True}, "virtualization", "notice", "shared unseen", "ratios"),
        ({"cores": 2}, "SMT", "notice", "4 CPUs share 2 cores", "device.threads=2"),
        ({"huge_pages": "always"}, "huge pages", "notice", "fragmented", "madvise"),
        ({"huge_pages": "never"}, "huge pages", "notice", "address translation", "madvise"),
        ({"swapped_pages": 5}, "swap", "bad", "5 pages", "swapoff"),
        ({"swap_used": 10 * GIB}, "swap", "notice", "10.0 GiB", "swapoff"),
        ({"memory_available": GIB}, "memory", "notice", "1.0 GiB", "problem.batch"),
        ({"disk_free": GIB // 2}, "disk", "bad", "0.5 GiB", "results="),
        ({"clock_step": 4e-3}, "clock", "bad", "4000000 ns", "clocksource=tsc"),
        ({"clock_source": "hpet"}, "clock", "bad", "hpet", "clocksource=tsc"),
        (
            {"switches": {"ATEN_CPU_CAPABILITY": "avx2"}},
            "environment variable",
            "notice",
            "PyTorch's instruction set",
            "unset ATEN_CPU_CAPABILITY",
        ),
    ],
)
def test_one_disturbance_is_found_alone_and_with_its_remedy(
    changes: dict[str, Any], subject: str, state: str, said: str, remedy: str
) -> None:
    found = the(subject, calm_but(**changes))
    assert found.state == state
    assert said in found.said
    assert remedy in (found.remedy or "")


def test_a_quota_that_covers_all_cpus_is_no_disturbance() -> None:
    assert the("CPU quota", calm_but(quota=4.0)).state == "good"


def test_a_thread_count_that_workers_override_is_told_as_harmless() -> None:
    found = the("environment variable", calm_but(overridden=["OMP_NUM_THREADS"]))
    assert found.state == "good"
    assert "OMP_NUM_THREADS" in found.said


@pytest.mark.parametrize(
    ("state", "remedy"), [("bad", None), ("notice", None), ("good", "none is needed")]
)
def test_a_finding_has_a_remedy_if_and_only_if_it_is_not_good(
    state: Any, remedy: str | None
) -> None:
    with pytest.raises(ValueError, match="remedy"):
        Finding("clock", state, "ticks", remedy)


def test_findings_are_plain_data_for_json() -> None:
    data = to_data(examine(calm_but(steal=0.5)))
    assert json.loads(json.dumps(data)) == data
    [found] = [item for item in data if item["state"] != "good"]
    assert {"subject": "steal", "state": "bad"}.items() <= found.items()


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


def test_a_machine_that_tells_nothing_can_still_be_examined(tmp_path: Path) -> None:
    seen = take(seconds=0, root=tmp_path)
    assert (seen.governor, seen.turbo, seen.huge_pages, seen.clock_source, seen.work_elsewhere) == (
        None,
    ) * 4 + (0,)
    assert all(finding.said for finding in examine(seen))


def test_readings_of_this_machine_can_be_examined() -> None:
    seen = take(seconds=0)
    assert seen.memory_available > 0
    assert 0 < seen.clock_step < 1
    assert {"CPU", "memory", "disk"} <= {finding.subject for finding in examine(seen)}


@pytest.mark.parametrize(
    ("file", "said", "expected"),
    [
        ("intel_pstate/no_turbo", "0", True),
        ("intel_pstate/no_turbo", "1", False),
        ("cpufreq/boost", "1", True),
        ("cpufreq/boost", "0", False),
        ("unrelated", "1", None),
    ],
)
def test_turbo_is_read_from_either_driver(
    tmp_path: Path, file: str, said: str, expected: bool | None
) -> None:
    write(tmp_path / "sys/devices/system/cpu" / file, said)
    assert turbo(tmp_path) is expected


def test_the_clocks_step_is_the_least_that_is_seen() -> None:
    readings = iter(range(10**6))
    assert clock_step(lambda: next(readings) // 10 * 5000) == pytest.approx(5e-6)


def write(path: Path, said: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(said, encoding="utf-8")
