"""Arms step up to the bench: prepared, called once, and what that cost told apart."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch

from harness.bandwidth import Floor, cache_bytes, traffic
from harness.bandwidth.floor import Stores
from harness.environment import machine
from harness.timing.worker.state import Arm, Cell, on_bench
from implementations import Unavailable, Unsupported, registry
from implementations.interface import Arrays, Implementation, Prepared, call_once

# runtimes that work on the given memory; others may keep a copy of their own
SHARING = ("torch", "numpy", "native")


def prepare(progress: Any, *, arm: str, implementation: Any) -> dict[str, float]:
    """Make an arm ready and call it once; the seconds that preparation, compilation and the first
    call took.

    ``compile_seconds`` is what `torch.compile` took of it. In a cold cell they are of the first set
    of arrays. Raises ``Unavailable`` or ``Unsupported``.
    """
    cell = on_bench()
    loaded = registry.load(implementation)
    refusal = loaded.unsupported(cell.problem, cell.phase, cell.device)
    if refusal is not None:
        raise Unsupported(str(refusal) or "it gives no reason")
    with _same_threads():
        first, cost = _first(loaded, cell)
        others = [_made(loaded, cell, arrays) for arrays in cell.sets[1:]]
        for prepared in others:
            call_once(prepared)
    cell.arms[arm] = Arm([first, *others], shares_memory=loaded.runtime in SHARING)
    return cost


def prepare_floor(progress: Any, *, arm: str, stores: Stores) -> dict[str, Any]:
    """Make an arm of the least traffic that the cell's phase takes; its bytes. Raises
    ``Unavailable`` with the reason.
    """
    cell = on_bench()
    if cell.device != "cpu":
        raise Unavailable(
            f"the bandwidth probes are written for the CPU; this cell is on {cell.device}"
        )
    least = traffic(
        cell.problem,
        cell.phase,
        face=cell.face,
        outputs=cell.outputs,
        cache_bytes=cache_bytes(machine.processor(), cell.threads),
    )
    floors = [Floor(least, stores=stores) for _ in cell.sets]
    for floor in floors:
        call_once(floor)
    cell.arms[arm] = Arm(floors)
    return {"bytes": least.bytes}


def _first(loaded: Implementation, cell: Cell) -> tuple[Prepared, dict[str, float]]:
    began = time.perf_counter()
    prepared = _made(loaded, cell, cell.sets[0])
    ready = time.perf_counter()
    with _compile_clock() as compiling:
        prepared.arm(1)
        armed = time.perf_counter()
        prepared()
        prepared.synchronize()
        done = time.perf_counter()
    return prepared, {
        "prepare_seconds": ready - began,
        "first_call_seconds": done - armed,
        **compiling,
    }


def _made(loaded: Implementation, cell: Cell, arrays: Arrays) -> Prepared:
    return loaded.prepare(
        cell.problem, cell.phase, face=cell.face, outputs=cell.outputs, arrays=arrays
    )


@contextmanager
def _same_threads() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    if torch.get_num_threads() != threads:
        torch.set_num_threads(threads)
        raise RuntimeError(
            f"it changed torch's number of threads, which is the harness's to set: {threads} in "
            "this cell"
        )


@contextmanager
def _compile_clock() -> Iterator[Mapping[str, float]]:
    """The seconds that torch.compile takes inside, by its own callbacks: nothing where preparing
    has not imported it.
    """
    told: dict[str, float] = {}
    if "torch._dynamo" not in sys.modules:
        yield told
        return
    from torch._dynamo.callback import callback_handler

    began: list[float] = []

    def start(_: Any) -> None:
        began.append(time.perf_counter())

    def end(_: Any) -> None:
        told["compile_seconds"] = (
            told.get("compile_seconds", 0.0) + time.perf_counter() - began.pop()
        )

    callback_handler.register_start_callback(start)
    callback_handler.register_end_callback(end)
    try:
        yield told
    finally:
        callback_handler.remove_start_callback(start)
        callback_handler.remove_end_callback(end)
