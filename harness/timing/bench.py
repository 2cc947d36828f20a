"""The worker's bench: one cell at a time, its arrays, and the arms that stand ready on it.

These functions answer `isolation.worker`'s requests; their arguments and answers are plain data.
"""

from __future__ import annotations

import ctypes
import gc
import time
from dataclasses import dataclass, field
from typing import Any

import torch

from harness.conformance.compare import failures
from harness.conformance.compare import verify as compare_with_oracle
from harness.inputs import make_arrays
from implementations import Unavailable, Unsupported, registry
from implementations.interface import Arrays, Face, Outputs, Phase, Prepared, Problem

SAMPLED_CHANNELS = 8


@dataclass
class Cell:
    """What is on the bench, with the arms by name."""

    problem: Problem
    phase: Phase
    face: Face
    outputs: Outputs
    device: str
    arrays: Arrays
    arms: dict[str, Prepared] = field(default_factory=dict)


_bench: list[Cell] = []


def open_cell(
    progress: Any, *, problem: dict[str, Any], phase: str, face: Face, outputs: Outputs, seed: int, device: str,
) -> None:
    """Clear the bench and lay out the arrays of another cell. Raises ``Unavailable`` where there is no such device."""
    clear(progress)
    if device == "cuda" and not torch.cuda.is_available():
        raise Unavailable("there is no CUDA device here, or this build of PyTorch cannot use it")
    made = Problem(**problem)
    _bench.append(Cell(made, Phase(phase), face, outputs, device, make_arrays(made, seed, device=device)))


def clear(progress: Any) -> None:
    """Drop the cell and give its memory back to the system, which a retaining allocator does not do by itself."""
    _bench.clear()
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)


def prepare(progress: Any, *, arm: str, implementation: Any) -> dict[str, float]:
    """Make an arm ready and call it once; the seconds that both took. Raises ``Unavailable`` or ``Unsupported``."""
    cell, threads = _bench[0], torch.get_num_threads()
    began = time.perf_counter()
    loaded = registry.load(implementation)
    refusal = loaded.unsupported(cell.problem, cell.phase, cell.device)
    if refusal is not None:
        raise Unsupported(str(refusal) or "it gives no reason")
    prepared = loaded.prepare(cell.problem, cell.phase, face=cell.face, outputs=cell.outputs, arrays=cell.arrays)
    ready = time.perf_counter()
    prepared.arm(1)
    armed = time.perf_counter()
    prepared()
    prepared.synchronize()
    done = time.perf_counter()
    if torch.get_num_threads() != threads:
        torch.set_num_threads(threads)
        raise RuntimeError(f"it changed torch's number of threads, which is the harness's to set: {threads} in this cell")
    cell.arms[arm] = prepared
    return {"prepare_seconds": ready - began, "first_call_seconds": done - armed}


def verify(progress: Any, *, arm: str, whole: bool) -> dict[str, Any]:
    """Hold what an arm computes on the cell's own inputs against the oracle: every channel, or evenly spread ones."""
    cell, began = _bench[0], time.perf_counter()
    prepared = cell.arms[arm]
    prepared.arm(1)
    prepared()
    prepared.synchronize()
    count = cell.problem.channels
    channels = None if whole or count <= SAMPLED_CHANNELS else [
        index * (count - 1) // (SAMPLED_CHANNELS - 1) for index in range(SAMPLED_CHANNELS)]
    findings = compare_with_oracle(prepared.results(), cell.problem, cell.phase, cell.arrays, channels=channels)
    return {"reason": failures(findings), "seconds": time.perf_counter() - began}


def sample(progress: Any, *, arm: str, calls: int) -> float:
    """Seconds that ``calls`` calls of an arm take in a row, after as many untimed ones.

    Those bring back what the arm sampled before has driven out: data, code, branch history, and threads from their sleep.
    With a single one, the same code in a process of its own seemed 9 % slower than beside the baseline.
    """
    prepared = _bench[0].arms[arm]
    prepared.arm(2 * calls)
    for _ in range(calls):
        prepared()
    prepared.synchronize()
    gc.disable()
    try:
        began = time.perf_counter_ns()
        for _ in range(calls):
            prepared()
        prepared.synchronize()
        return (time.perf_counter_ns() - began) * 1e-9
    finally:
        gc.enable()
