"""Preparing arms in the worker: each is made ready and called once, and what that cost is recorded
apart.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import torch

from harness.bandwidth import PreparedFloor, cache_bytes, traffic
from harness.bandwidth.floor import Stores
from harness.environment import machine
from harness.records import Bytes, Cost, Seconds
from harness.timing.worker.state import OpenCell, PreparedArm, WorkerState
from implementations import Unavailable, Unsupported, registry
from implementations.fused_cpu import library
from implementations.interface import Arrays, Implementation, Prepared, call_once, refusal


def load(*, arm: str, implementation: registry.Specification) -> None:
    """Load an arm's implementation. Raises what `registry.load` raises."""
    registry.load(implementation)


def load_ahead(*, names: tuple[str, ...]) -> None:
    """Load the package's own implementations, so that the first cell need not wait for their
    imports. What cannot be loaded is told where it is prepared.
    """
    for name in names:
        with suppress(Unavailable):
            registry.load(name)


def prepare(state: WorkerState, *, arm: str, implementation: registry.Specification) -> Cost:
    """Make an arm ready and call it once; the seconds of preparation, compilation and first call.

    In a cold cell they are of the first set of arrays. Raises ``Unavailable`` or ``Unsupported``.
    """
    cell = state.cell
    loaded = registry.load(implementation)
    reason = refusal(loaded, cell.setup.problem, cell.setup.phase, cell.setup.device)
    if reason is not None:
        raise Unsupported(str(reason) or "it gives no reason")
    with _unchanged_thread_count():
        first, cost = _prepare_first(loaded, cell)
        others = [_prepare(loaded, cell, arrays) for arrays in cell.sets[1:]]
        for prepared in others:
            call_once(prepared)
    cell.arms[arm] = PreparedArm([first, *others], shares_memory=loaded.shares_memory)
    return cost


def instruction_sets(*, arm: str) -> dict[str, str]:
    """Which are in use in this process: PyTorch's, and fused_cpu's where that was prepared."""
    found = {"torch": torch.backends.cpu.get_cpu_capability()}
    return {**found, "fused_cpu": library.instruction_set()} if library.is_loaded() else found


def prepare_floor(state: WorkerState, *, arm: str, stores: Stores) -> Bytes:
    """Make an arm of the least traffic that the cell's phase takes; its bytes a call.

    Raises ``Unavailable`` with the reason.
    """
    cell, setup = state.cell, state.cell.setup
    if setup.device != "cpu":
        raise Unavailable(
            f"the bandwidth probes are written for the CPU; this cell is on {setup.device}"
        )
    cache = cache_bytes(machine.processor(), cell.threads)
    least = traffic(
        setup.problem, setup.phase, face=setup.face, outputs=setup.outputs, cache_bytes=cache
    )
    floors = [PreparedFloor(least, stores=stores) for _ in cell.sets]
    for floor in floors:
        call_once(floor)
    cell.arms[arm] = PreparedArm(floors)
    return Bytes(least.bytes)


def _prepare_first(loaded: Implementation, cell: OpenCell) -> tuple[Prepared, Cost]:
    began = time.perf_counter()
    prepared = _prepare(loaded, cell, cell.sets[0])
    ready = time.perf_counter()
    with _compile_clock() as compiling:
        prepared.arm(1)
        armed = time.perf_counter()
        prepared()
        prepared.synchronize()
        done = time.perf_counter()
    return prepared, Cost(
        prepare_seconds=Seconds(ready - began),
        compile_seconds=Seconds(sum(compiling)) if compiling else None,
        first_call_seconds=Seconds(done - armed),
    )


def _prepare(loaded: Implementation, cell: OpenCell, arrays: Arrays) -> Prepared:
    setup = cell.setup
    return loaded.prepare(
        setup.problem, setup.phase, face=setup.face, outputs=setup.outputs, arrays=arrays
    )


@contextmanager
def _unchanged_thread_count() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    if torch.get_num_threads() != threads:
        torch.set_num_threads(threads)
        raise RuntimeError(
            f"it changed torch's number of threads, {threads} in this cell; "
            "only the harness may set it"
        )


@contextmanager
def _compile_clock() -> Iterator[list[float]]:
    """The seconds of each compilation by `torch.compile` inside, as its own callbacks report them;
    nothing where preparing has not imported it.
    """
    seconds: list[float] = []
    if "torch._dynamo" not in sys.modules:
        yield seconds
        return
    from torch._dynamo.callback import callback_handler

    starts: list[float] = []

    def start(_: Any) -> None:  # PyTorch's own arguments
        starts.append(time.perf_counter())

    def end(_: Any) -> None:
        seconds.append(time.perf_counter() - starts.pop())

    callback_handler.register_start_callback(start)
    callback_handler.register_end_callback(end)
    try:
        yield seconds
    finally:
        callback_handler.remove_start_callback(start)
        callback_handler.remove_end_callback(end)
