"""Is what stands on the bench right, on the cell's own inputs, and does it still do its work when
nobody looks?
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import Any

from harness.conformance.compare import failures
from harness.conformance.compare import verify as compare_with_oracle
from harness.timing.worker import memory
from harness.timing.worker.checksum import changed, fingerprint
from harness.timing.worker.skipped_calls import idle
from harness.timing.worker.stale_results import audit as audited
from harness.timing.worker.state import Arm, Cell, on_bench
from harness.timing.worker.timed_loop import break_off, take

SAMPLED_CHANNELS = 8


def verify(progress: Any, *, arm: str, whole: bool) -> dict[str, Any]:
    """Hold what an arm's first call has left on each set of arrays against the oracle: every
    channel, or evenly spread ones.
    """
    cell, began = on_bench(), time.perf_counter()
    reason = _mutation(cell)
    for index, (prepared, arrays) in enumerate(
        zip(cell.arms[arm].prepared, cell.sets, strict=True)
    ):
        reason = reason or failures(
            compare_with_oracle(
                prepared.results(),
                cell.problem,
                cell.phase,
                arrays,
                channels=None if whole and index == 0 else spread(cell),
            )
        )
    return {"reason": reason, "seconds": time.perf_counter() - began}


def audit(progress: Any, *, arm: str, calls: int) -> dict[str, Any]:
    """Change the inputs, take a sample as any other, and see whether its results are of the inputs
    as they are now.

    Then change them within a sample, where the arm shares memory with them and sees it.
    """
    cell, began = on_bench(), time.perf_counter()
    stands = cell.arms[arm]
    one = Arm(stands.prepared[-1:])
    what = (one.prepared[0], cell.problem, cell.phase, cell.sets[-1])
    reason = audited(
        lambda count: take(one, count, count, cuda=cell.device == "cuda"),
        *what,
        calls=calls,
        channels=spread(cell),
        shares_memory=stands.shares_memory,
    )
    if reason is None and stands.shares_memory:
        reason = idle(partial(break_off, one, calls), *what, channels=spread(cell))
    return {"reason": reason or _mutation(cell), "seconds": time.perf_counter() - began}


def measure_memory(progress: Any, *, arm: str) -> dict[str, int | None]:
    """Bytes that a layer saves for the backward, and the most that a call takes beyond what was
    there before it.
    """
    cell = on_bench()
    prepared = cell.arms[arm].prepared[0]
    saved = (
        memory.saved_bytes(prepared, cell.sets[0])
        if cell.phase.has_backward and cell.face == "layer"
        else None
    )
    prepared.arm(2)
    prepared()
    prepared.synchronize()
    return {"saved_bytes": saved, "peak_extra_bytes": memory.peak_extra_bytes(prepared)}


def spread(cell: Cell) -> Sequence[int] | None:
    """Evenly spread channels, or all where they are few."""
    count = cell.problem.channels
    if count <= SAMPLED_CHANNELS:
        return None
    return [index * (count - 1) // (SAMPLED_CHANNELS - 1) for index in range(SAMPLED_CHANNELS)]


def _mutation(cell: Cell) -> str | None:
    """Which operand an arm has changed, put right again for the arms beside it."""
    for arrays in cell.sets:
        said = changed(cell.untouched, fingerprint(arrays))
        if said is not None:
            cell.restore()
            return said
    return None
