"""How a worker process is set up: everything in a process's environment that moves timings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from harness.config.choices import Allocator, Device, HugePages, WaitPolicy
from harness.environment import cpus
from harness.isolation.places import HERE, Place

ALLOCATORS: Mapping[Allocator, Mapping[str, str]] = {
    "default": {},
    # glibc maps blocks above a threshold afresh each time, and pages fault in one by one; never
    # mapping and never trimming keeps them. Seen: 210 ms instead of 12 for filling a new 200 MB
    # tensor.
    "retaining": {
        "MALLOC_MMAP_MAX_": "0",
        "MALLOC_TRIM_THRESHOLD_": str(2**62),
        "MALLOC_TOP_PAD_": str(64 << 20),
    },
}
HUGE_PAGES: Mapping[HugePages, Mapping[str, str]] = {
    "default": {},
    # glibc asks the kernel for them (2.35 and later), which grants them where it is set to
    # "madvise" or "always".
    "asked": {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"},
}
THREAD_COUNTS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
ALWAYS = {
    "OMP_DYNAMIC": "false",
    # Else torch and hypothesis import what any package registers with them, and fail where the
    # metadata of one cannot be read.
    "TORCH_DEVICE_BACKEND_AUTOLOAD": "0",
    "HYPOTHESIS_NO_PLUGINS": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONUNBUFFERED": "1",
}


@dataclass(frozen=True)
class Waiting:
    """What OpenMP's idle threads do: the variables that ask for it, and the seconds after which
    they are sure to sleep.
    """

    environment: Mapping[str, str]
    settle_seconds: float


# libgomp spins 300,000 times by default, 16 ms where a pause takes 140 cycles: into the next
# process's sample. "brief" is the same within a sample, where gaps are microseconds, and quiet
# after one.
WAIT_POLICIES: Mapping[WaitPolicy, Waiting] = {
    "brief": Waiting({"GOMP_SPINCOUNT": "50000"}, 0.005),
    "default": Waiting({}, 0.03),
    "passive": Waiting({"OMP_WAIT_POLICY": "passive"}, 0.0),
}
# pytest gives it a new value for each test, and it means nothing to a library.
MEANINGLESS = {"PYTEST_CURRENT_TEST"}
# All variables that the settings below set, under some choice of them.
VARIABLES_SET = frozenset(
    [
        *THREAD_COUNTS,
        *ALWAYS,
        *(name for choice in ALLOCATORS.values() for name in choice),
        *(name for choice in HUGE_PAGES.values() for name in choice),
        *(name for choice in WAIT_POLICIES.values() for name in choice.environment),
    ]
)


@dataclass(frozen=True)
class WorkerSettings:
    """What a worker process is started with; recorded with everything it measures.

    ``lane`` counts workers that run side by side, so that each can have CPUs of its own.
    """

    threads: int = 1
    allocator: Allocator = "retaining"
    wait_policy: WaitPolicy = "brief"
    device: Device = "cpu"
    huge_pages: HugePages = "default"
    lane: int = 0
    place: Place = HERE

    @property
    def cpus(self) -> list[int]:
        """The CPUs that the worker is bound to: the first ``threads`` of those that
        `environment.cpus` prefers.

        A worker in another lane has those after them, as long as there are any.
        """
        preferred = cpus.by_preference()
        lanes = max(len(preferred) // self.threads, 1)
        first = self.lane % lanes * self.threads
        return sorted(preferred[first : first + self.threads])

    def environment(self) -> dict[str, str]:
        """The whole environment of the worker's process."""
        return {
            **self.place.environment(os.environ),
            **dict.fromkeys(THREAD_COUNTS, str(self.threads)),
            **ALLOCATORS[self.allocator],
            **WAIT_POLICIES[self.wait_policy].environment,
            **HUGE_PAGES[self.huge_pages],
            **ALWAYS,
        }


def meaningful(environment: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    """What tells processes that were started in this environment from those of another."""
    return frozenset(item for item in environment.items() if item[0] not in MEANINGLESS)
