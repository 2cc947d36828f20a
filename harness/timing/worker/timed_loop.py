"""The timed loop itself, and what the kernel tells of the time around it."""

from __future__ import annotations

import gc
import os
import random
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from harness.records import Seconds
from harness.timing.messages import TimingResult
from harness.timing.worker.state import PreparedArm, WorkerState

# Upper bound on spare calls, so that an arm cannot tell which call is the last.
SPARE_CALLS = 7


def sample(state: WorkerState, *, arm: str, calls: int, untimed: int) -> TimingResult:
    """Time ``calls`` calls of an arm in a row, after ``untimed`` ones.

    The untimed calls restore what the previous arm evicted: data, code, branch history; and they
    wake sleeping threads. With a single one, the same code in a process of its own seemed 9 %
    slower than beside the baseline.
    """
    cell = state.cell
    return time_calls(cell.arms[arm], calls, untimed, cuda=cell.setup.device == "cuda")


def time_calls(arm: PreparedArm, calls: int, untimed: int, *, cuda: bool = False) -> TimingResult:
    queued, switches, began = _queued(), _preempted(), time.perf_counter_ns()
    arm.arm(calls + untimed + random.randrange(min(calls, SPARE_CALLS) + 1))
    for call in arm.turns(untimed):
        call()
    arm.synchronize()
    turns, events = arm.turns(calls), [_event() for _ in range(2 * cuda)]
    with _no_garbage_collection():
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
    return TimingResult(
        seconds=Seconds((stop - start) * 1e-9),
        untimed=Seconds((start - began) * 1e-9),
        waited=waited,
        preempted=_preempted() - switches,
        device_seconds=Seconds(events[0].elapsed_time(events[1]) * 1e-3) if cuda else None,
    )


def break_off(arm: PreparedArm, calls: int, act: Callable[[], object]) -> None:
    """Begin a sample like any other, call ``act`` at a moment drawn at random, make one more call,
    and stop there.
    """
    arm.arm(2 * calls + random.randrange(min(calls, SPARE_CALLS) + 1))
    for call in arm.turns(random.randrange(2 * calls)):
        call()
    arm.synchronize()
    act()
    for call in arm.turns(1):
        call()
    arm.synchronize()


def _event() -> Any:
    return torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]  # torch's own


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
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
    # Twice as fast as with Path, and it is done for every sample.
    for task in os.listdir("/proc/self/task"):  # noqa: PTH208
        try:
            with open(f"/proc/self/task/{task}/schedstat", "rb") as file:  # noqa: PTH123
                total += int(file.read().split()[1])
        except (OSError, IndexError):  # the thread has ended, or this kernel keeps no such account
            continue
    return total or None
