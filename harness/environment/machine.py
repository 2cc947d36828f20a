"""The machine, as the kernel describes it.

``root`` is where /proc, /sys and /etc are read from. A file that is not there is no error.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/")

# As /proc/cpuinfo names them, x86 and then ARM: those that floating-point kernels are written for.
INSTRUCTION_SETS = (
    "sse4_2",
    "avx",
    "f16c",
    "fma",
    "avx2",
    "avx512f",
    "avx512bw",
    "avx512vl",
    "avx512_bf16",
    "avx512_fp16",
    "amx_tile",
    "amx_bf16",
    "amx_fp16",
    "asimd",
    "asimdhp",
    "fphp",
    "sve",
    "sve2",
    "sme",
    "bf16",
)


@dataclass(frozen=True)
class Processor:
    """The CPUs that this process is bound to. ``caches`` maps "L1d" and so on to a size as the
    kernel writes it.

    ``cores`` and ``quota``, in CPUs, are None where the kernel does not know them or sets no limit.
    """

    model: str
    machine: str
    virtual: bool
    instruction_sets: list[str]
    logical: int
    cores: int | None
    quota: float | None
    caches: dict[str, str]


def processor(root: Path = ROOT) -> Processor:
    """The model and features of the CPUs that this process is bound to, and how much of them it may
    use.
    """
    entries = dict(_entries(root / "proc/cpuinfo"))
    features = set((entries.get("flags") or entries.get("Features") or "").split())
    cpus = sorted(os.sched_getaffinity(0))
    cores = {siblings(cpu, root) for cpu in cpus}
    return Processor(
        model=entries.get("model name") or platform.machine(),
        machine=platform.machine(),
        virtual="hypervisor" in features,
        instruction_sets=[name for name in INSTRUCTION_SETS if name in features],
        logical=len(cpus),
        cores=None if "" in cores else len(cores),
        quota=quota(root),
        caches=dict(map(_cache, sorted(_cpu(cpus[0], root).glob("cache/index*")))),
    )


def quota(root: Path = ROOT) -> float | None:
    """The CPUs' time that the control groups allow, nested ones too; None for no limit."""
    return min(_quotas(root), default=None)


def siblings(cpu: int, root: Path = ROOT) -> str:
    """The CPUs of the same core, itself among them, as the kernel lists them; empty where it does
    not tell.
    """
    return text(_cpu(cpu, root) / "topology/thread_siblings_list")


def memory(root: Path = ROOT) -> dict[str, int]:
    """/proc/meminfo in bytes, but no more available than the control groups allow in all."""
    found = {name: int(size.split()[0]) * 1024 for name, size in _entries(root / "proc/meminfo")}
    available = [found.get("MemAvailable", 0), *_memory_limits(root)]
    return {**found, "MemAvailable": min(available)}


def memory_total(root: Path = ROOT) -> int:
    """The bytes of memory that this process could have if nothing else ran."""
    return min([memory(root)["MemTotal"], *_memory_limits(root)])


def _memory_limits(root: Path) -> list[int]:
    limits = [
        text(folder / name)
        for folder in control_groups("memory", root)
        for name in ("memory.max", "memory.limit_in_bytes")
    ]
    return [int(limit) for limit in limits if limit.isdecimal()]


def huge_pages(root: Path = ROOT) -> str | None:
    """Whether memory comes in transparent huge pages: "always", "madvise" or "never"."""
    chosen = re.search(r"\[(\w+)\]", text(root / "sys/kernel/mm/transparent_hugepage/enabled"))
    return chosen.group(1) if chosen else None


def governor(root: Path = ROOT) -> str | None:
    """What decides the CPUs' frequency; several names where they differ; None where the kernel
    shows none.
    """
    found = {
        text(path)
        for path in (root / "sys/devices/system/cpu").glob("cpu[0-9]*/cpufreq/scaling_governor")
    } - {""}
    return ", ".join(sorted(found)) or None


def frequency(root: Path = ROOT) -> float | None:
    """The CPUs' mean frequency in MHz, as far as the kernel knows it."""
    found = [
        float(mhz)
        for mhz in re.findall(r"^cpu MHz\s*: ([\d.]+)", text(root / "proc/cpuinfo"), re.MULTILINE)
    ]
    return round(sum(found) / len(found), 1) if found else None


def gpus() -> list[str]:
    """Each NVIDIA GPU's name, driver and memory; none where no driver answers."""
    if shutil.which("nvidia-smi") is None:
        return []
    lines = output(
        "nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"
    )
    return [line.strip() for line in lines.splitlines()]


def control_groups(controller: str, root: Path = ROOT) -> list[Path]:
    """The folders of this process's control group and those above it, of version 1 or 2, for "cpu"
    or "memory".

    Inside a container the path may be the one that the host sees, while the mount shows less: only
    existing folders count.
    """
    mount = root / "sys/fs/cgroup"
    found: list[Path] = []
    for line in text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        group = Path(path.lstrip("/"))
        for base in (
            (mount / controllers, mount / controller) if controllers else (mount, mount / "unified")
        ):
            found += [base / part for part in (group, *group.parents)]
    return [folder for folder in dict.fromkeys(found) if folder.is_dir()]


def text(path: Path) -> str:
    """A file's content, stripped; empty where it is absent or not readable."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def output(*command: str, env: Mapping[str, str] | None = None) -> str:
    """What a command prints; nothing where it fails, is not there or takes more than ten
    seconds.
    """
    try:
        done = subprocess.run(
            command,
            env=env,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout


def _cpu(number: int, root: Path) -> Path:
    return root / f"sys/devices/system/cpu/cpu{number}"


def _quotas(root: Path) -> Iterator[float]:
    """The CPUs that each control group may use, where it is limited."""
    for folder in control_groups("cpu", root):
        limits = (
            text(folder / "cpu.max")
            or f"{text(folder / 'cpu.cfs_quota_us')} {text(folder / 'cpu.cfs_period_us')}"
        )
        quota, _, period = limits.partition(" ")
        if quota.isdecimal() and period.isdecimal():
            yield int(quota) / int(period)


def _entries(path: Path) -> Iterator[tuple[str, str]]:
    """Name and value of each line of the file's first paragraph."""
    for line in text(path).split("\n\n")[0].splitlines():
        name, _, value = line.partition(":")
        yield name.strip(), value.strip()


def _cache(index: Path) -> tuple[str, str]:
    kind = {"Data": "d", "Instruction": "i"}.get(text(index / "type"), "")
    return f"L{text(index / 'level')}{kind}", text(index / "size")
