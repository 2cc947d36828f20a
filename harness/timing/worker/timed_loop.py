"""The timed loop itself, and what the kernel tells of the time around it."""

from __future__ import annotations

import gc
import os
import random
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import torch

from harness.timing.timing_result import Taken
from harness.timing.worker.state import Arm, on_bench

# calls at most that an arm is armed for beyond those made, so that it cannot know which is the last
SPARE = 7


def sample(progress: Any, *, arm: str, calls: int, untimed: int) -> dict[str, Any]:
    """Time ``calls`` calls of an arm in a row, after ``untimed`` ones; a ``Taken`` as plain data.

    Those bring back what the arm sampled before has driven out: data, code, branch history, and
    threads from their sleep. With a single one, the same code in a process of its own seemed 9 %
    slower than beside the baseline.
    """
    cell = on_bench()
    return asdict(take(cell.arms[arm], calls, untimed, cuda=cell.device == "cuda"))


def take(arm: Arm, calls: int, untimed: int, *, cuda: bool = False) -> Taken:
    queued, switches, began = _queued(), _preempted(), time.perf_counter_ns()
    arm.arm(calls + untimed + random.randrange(min(calls, SPARE) + 1))
    for call in arm.turns(untimed):
        call()
    arm.synchronize()
    turns, events = arm.turns(calls), [_event() for _ in range(2 * cuda)]
    with _no_collection():
        start = time.perf_counter_ns()
        for event in events[:1]:
            event.record()
        for call in turns:
            call()
        for event in events[1:]:
            event.record()
        arm.synchronize()
        if cuda:
            torch.cuda.synchronize()  # whatever the arm itself waits for
        stop = time.perf_counter_ns()
    waited = None if queued is None else max((_queued() or 0) - queued, 0) / (stop - began)
    device = events[0].elapsed_time(events[1]) * 1e-3 if cuda else None
    return Taken(
        (stop - start) * 1e-9, (start - began) * 1e-9, waited, _preempted() - switches, device
    )


def break_off(arm: Arm, calls: int, act: Callable[[], object]) -> None:
    """A sample as any other until a call that chance draws, before which ``act`` is done and after
    which it ends.
    """
    arm.arm(2 * calls + random.randrange(min(calls, SPARE) + 1))
    for call in arm.turns(random.randrange(2 * calls)):
        call()
    arm.synchronize()
    act()
    for call in arm.turns(1):
        call()
    arm.synchronize()


def _event() -> Any:
    # torch leaves it untyped
    return torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]


@contextmanager
def _no_collection() -> Iterator[None]:
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _preempted() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw


def _queued() -> int | None:
    """Nanoseconds that the threads of this process have waited for a CPU so far; None where the
    kernel does not tell.

    The second field of /proc/PID/task/TID/schedstat (Linux,
    Documentation/scheduler/sched-stats.rst).
    """
    total = 0
    for task in os.listdir("/proc/self/task"):  # noqa: PTH208 -- twice as fast as a Path, and it is done for every sample
        try:
            with open(f"/proc/self/task/{task}/schedstat", "rb") as file:  # noqa: PTH123
                total += int(file.read().split()[1])
        except (OSError, IndexError):  # the thread has ended, or this kernel keeps no such account
            continue
    return total or None
