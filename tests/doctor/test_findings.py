"""The doctor's findings from made-up readings."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from harness.doctor import Finding, Readings, examine
from harness.environment.machine import Processor
from harness.records import to_json
from harness.training.datasets import DataError

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
    ("changes", "subject", "state", "message", "remedy"),
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
        ({"quota": 2.5}, "CPU quota", "notice", "device.threads=2", "limit to 4"),
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
    changes: dict[str, Any], subject: str, state: str, message: str, remedy: str
) -> None:
    found = the(subject, calm_but(**changes))
    assert found.state == state
    assert message in found.message
    assert remedy in (found.remedy or "")


def test_a_quota_that_covers_all_cpus_is_no_disturbance() -> None:
    assert the("CPU quota", calm_but(quota=4.0)).state == "good"


def test_a_thread_count_that_workers_override_is_harmless() -> None:
    found = the("environment variable", calm_but(overridden=["OMP_NUM_THREADS"]))
    assert found.state == "good"
    assert "OMP_NUM_THREADS" in found.message


@pytest.mark.parametrize(
    ("state", "remedy"), [("bad", None), ("notice", None), ("good", "none is needed")]
)
def test_a_finding_has_a_remedy_if_and_only_if_it_is_not_good(
    state: Any, remedy: str | None
) -> None:
    with pytest.raises(ValueError, match="remedy"):
        Finding("clock", state, "ticks", remedy)


def test_findings_are_plain_data_for_json() -> None:
    [found] = [finding for finding in examine(calm_but(steal=0.5)) if finding.state != "good"]
    assert json.loads(to_json(found)) == {
        "subject": "steal",
        "state": "bad",
        "message": "the hypervisor gave 50% of the time to other machines",
        "remedy": found.remedy,
    }
