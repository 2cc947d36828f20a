"""Whether the arms of the open cell are right on its own inputs, and still do their work in every
timed call.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

from harness.conformance.compare import compare_with_oracle, failure_summary
from harness.conformance.errors import ErrorTotals
from harness.conformance.exact_results import MOST_KEPT
from harness.records import Accuracy, Bytes, MemoryUse, Seconds
from harness.timing.messages import CheckResult
from harness.timing.worker import memory
from harness.timing.worker.operand_checksums import changed_operands, checksums
from harness.timing.worker.skipped_calls import find_skipped_call
from harness.timing.worker.stale_results import find_stale_results
from harness.timing.worker.state import OpenCell, PreparedArm, WorkerState
from harness.timing.worker.timed_loop import break_off, time_calls

SAMPLED_CHANNELS, LEAST_SAMPLED = 8, 2
# Elements in them: so many exact results are kept, and all arms are held against the same ones.
MOST_SAMPLED = MOST_KEPT


def verify(state: WorkerState, *, arm: str, whole: bool) -> CheckResult:
    """Compare what an arm's first call left on each set of arrays with the oracle: every channel if
    ``whole``, else evenly spread ones.

    The arm's errors are of the first set, in all channels that are compared there.
    """
    cell, began = state.cell, time.perf_counter()
    problem, phase = cell.setup.problem, cell.setup.phase
    reason, errors = _changed_operand(cell), ErrorTotals(problem, phase, cell.sets[0])
    first = None if whole else spread_channels(cell)
    pairs = zip(cell.arms[arm].prepared, cell.sets, strict=True)
    for index, (prepared, arrays) in enumerate(pairs):
        channels = spread_channels(cell) if index else first
        findings = compare_with_oracle(
            prepared.results(),
            problem,
            phase,
            arrays,
            channels=channels,
            exact=None if index else cell.exact,
            errors=None if index else errors,
        )
        reason = reason or failure_summary(findings)
    count = problem.channels if first is None else len(first)
    accuracy = None if reason else Accuracy(count, errors.errors(), errors.flipped)
    return CheckResult(reason, Seconds(time.perf_counter() - began), accuracy)


def audit(state: WorkerState, *, arm: str, calls: int) -> CheckResult:
    """Change the inputs, take a sample as any other, and see whether its results are of the inputs
    as they are now.

    Then change them within a sample, where the arm shares memory with them and sees it.
    """
    cell, began = state.cell, time.perf_counter()
    shares_memory = cell.arms[arm].shares_memory
    last = PreparedArm(cell.arms[arm].prepared[-1:])
    subject = (last.prepared[0], cell.setup.problem, cell.setup.phase, cell.sets[-1])
    channels = spread_channels(cell)
    reason = find_stale_results(
        lambda count: time_calls(last, count, count, cuda=cell.setup.device == "cuda"),
        *subject,
        calls=calls,
        channels=channels,
        shares_memory=shares_memory,
    )
    if reason is None and shares_memory:
        reason = find_skipped_call(partial(break_off, last, calls), *subject, channels=channels)
    return CheckResult(reason or _changed_operand(cell), Seconds(time.perf_counter() - began))


def measure_memory(state: WorkerState, *, arm: str) -> MemoryUse:
    """Bytes that a layer saves for the backward, and the most that a call takes beyond what was
    there before it.
    """
    cell = state.cell
    prepared = cell.arms[arm].prepared[0]
    saved = None
    if cell.setup.phase.has_backward and cell.setup.face == "layer":
        saved = Bytes(memory.saved_bytes(prepared, cell.sets[0]))
    prepared.arm(2)
    prepared()
    prepared.synchronize()
    peak = memory.peak_extra_bytes(prepared)
    return MemoryUse(saved, None if peak is None else Bytes(peak))


def spread_channels(cell: OpenCell) -> Sequence[int] | None:
    """Evenly spread channels, fewer of larger ones; None, for all of them, where they are few."""
    count, size = cell.setup.problem.channels, cell.setup.problem.reduction
    if count <= SAMPLED_CHANNELS:
        return None
    sampled = min(SAMPLED_CHANNELS, max(LEAST_SAMPLED, MOST_SAMPLED // size))
    return [index * (count - 1) // (sampled - 1) for index in range(sampled)]


def _changed_operand(cell: OpenCell) -> str | None:
    """Which operand an arm has changed, if any; it is restored for the arms beside it."""
    for arrays in cell.sets:
        reason = changed_operands(cell.original, checksums(arrays))
        if reason is not None:
            cell.restore()
            return reason
    return None
