"""Whether an arm still does its work in later calls. Its first call was compared with the oracle.

Between two samples the inputs change in place, and the results of the second one must be those of
the inputs as they are now. The samples are taken by the very code that times, so that an arm cannot
tell an audit from a measurement.

What stays hidden: an arm that looks at its data and computes anew only when they have changed; and
where memory is not shared, one that kept its results instead of its inputs. Only the least time
that physics allows speaks against those.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import torch

from harness.conformance.compare import QuantityCheck, compare_with_oracle, failure_summary
from harness.problems.tensors import named_tensors, same_bits
from harness.timing.worker.input_perturbation import CHANGING, changed_in_place
from harness.timing.worker.operand_checksums import changed_operands, checksums
from harness.timing.worker.repeated_updates import RUNNING, check_updates
from harness.timing.worker.sampled_channels import SampledChannels
from implementations.interface import Arrays, Phase, Prepared, Problem, Results

PATIENCE = 1.0  # seconds in which wrong results are watched for changing by themselves
STILL_COMPUTING = "it was still computing when synchronize() had returned"
STALE = "it returned results of other inputs: its inputs changed in place, its outputs did not"
NOT_UPDATED = "it did not update the running statistics"


@dataclass(frozen=True)
class _AuditedChannels:
    """The audited channels, and how often their running statistics were updated since armed."""

    sampled: SampledChannels
    updates: int


def find_stale_results(
    time_calls: Callable[[int], object],
    prepared: Prepared,
    problem: Problem,
    phase: Phase,
    arrays: Arrays,
    *,
    calls: int,
    channels: Sequence[int] | None,
    shares_memory: bool,
) -> str | None:
    """Why an arm is WRONG although its first call was right; None when nothing is found.

    ``time_calls(calls)`` takes a sample as any other: arms for ``2 * calls``, makes as many calls
    and synchronizes. ``arrays`` are what ``prepared`` was prepared on; afterwards they are as
    before, to the bit, unless the reason is that the arm changed them. ``channels`` are looked at,
    or all. An arm that does not share memory with them may have copied them, and is then compared
    with what it copied. Raises what the arm raises.
    """
    sampled = SampledChannels.of(problem, phase, channels)
    audit = _AuditedChannels(sampled, 2 * calls if phase.training and phase.has_forward else 0)
    old = sampled.operands(arrays)
    began = time.monotonic()
    time_calls(calls)  # an arm that puts calls off still has these to do when the inputs change
    poisoned = _poison(prepared.results(), phase, arrays) if shares_memory else []
    with changed_in_place(arrays):
        before, new = checksums(arrays), sampled.operands(arrays)
        # If earlier calls have their right results by now, these will after as long again.
        patience = time.monotonic() - began
        time_calls(calls)
        done = time.monotonic()
        results = prepared.results()
        seen = sampled.results(results)
        if shares_memory:
            _poison(results, phase, arrays)  # whatever is written after this was not done in time
        left = sampled.results(prepared.results())
        fault = failure_summary(compare_with_oracle(results, problem, phase, arrays, channels=()))
        reason = changed_operands(before, checksums(arrays)) or fault
        if reason is not None:
            return reason
        inputs = [new] if shares_memory else _possible_inputs(old, new)
        failed = min((_failed(seen, audit, arrays) for arrays in inputs), key=len)
        until = time.monotonic() + PATIENCE if failed else done + patience
        if _changes_by_itself(prepared, sampled, left, until):
            return STILL_COMPUTING
    return _explain(failed, seen, audit, old, poisoned) if failed else None


def _poison(results: Results, phase: Phase, arrays: Arrays) -> list[str]:
    """Fill the outputs that the next calls will write with NaN; their names.

    An output that is an operand handed back is left alone.
    """
    storages = [operand.untyped_storage() for operand in named_tensors(arrays).values()]
    taken = [(storage.data_ptr(), storage.nbytes()) for storage in storages]
    gradients = [f"grad_{name}" for name in ("input", "residual", "weight", "bias")]
    poisoned = []
    for name in ["output"] * phase.has_forward + gradients:
        tensor = getattr(results, name)
        if tensor is None or any(0 <= tensor.data_ptr() - start < size for start, size in taken):
            continue
        tensor.data.fill_(torch.nan)
        poisoned.append(name)
    return poisoned


def _possible_inputs(old: Arrays, new: Arrays) -> Iterator[Arrays]:
    """What an arm that may have copied any operand can have computed with: the operands as they are
    now first, then as they were, then any mix of both.
    """
    yield from (new, old)
    given = [name for name in CHANGING if getattr(old, name) is not None]
    for sources in product((old, new), repeat=len(given)):
        mixed = {name: getattr(source, name) for name, source in zip(given, sources, strict=True)}
        if any(source is not sources[0] for source in sources):
            yield replace(new, **mixed)


def _failed(seen: Results, audit: _AuditedChannels, arrays: Arrays) -> list[QuantityCheck]:
    """What is wrong with the sampled channels as results of ``arrays``."""
    sampled = audit.sampled
    found = compare_with_oracle(seen, sampled.problem, sampled.phase, arrays)
    if audit.updates:
        found = [check for check in found if check.quantity not in RUNNING]
        found += check_updates(seen, sampled, arrays, audit.updates)
    failed = [check for check in found if not check.passed]
    return [replace(check, index=sampled.whole_index(check.index)) for check in failed]


def _changes_by_itself(
    prepared: Prepared, sampled: SampledChannels, left: Results, until: float
) -> bool:
    """Whether results change until then, though nobody calls: something is still at work."""
    pause = 0.01
    while True:
        if not _same_results(left, sampled.results(prepared.results())):
            return True
        if time.monotonic() >= until:
            return False
        time.sleep(min(pause, max(until - time.monotonic(), 0.0)))
        pause *= 2


def _same_results(one: Results, other: Results) -> bool:
    """Alike to the bit, NaN too."""
    left, right = named_tensors(one), named_tensors(other)
    return left.keys() == right.keys() and all(
        same_bits(tensor, right[name]) for name, tensor in left.items()
    )


def _explain(
    failed: list[QuantityCheck],
    seen: Results,
    audit: _AuditedChannels,
    old: Arrays,
    poisoned: list[str],
) -> str:
    """What the arm must have done to fail in this way."""
    names = {check.quantity for check in failed}
    reasons = []
    unwritten = [
        name for name in poisoned if name in names and bool(getattr(seen, name).isnan().all())
    ]
    if unwritten:
        listed = ", ".join(unwritten)
        reasons.append(f"it left its outputs unwritten after the first call: {listed}")
    if audit.updates and any(_is_unmoved(name, seen, old) for name in names & set(RUNNING)):
        reasons.append(NOT_UPDATED)
    others = names - set(RUNNING)
    if not reasons and others:
        wrong_for_old = {check.quantity for check in _failed(seen, audit, old)}
        if not others & wrong_for_old:
            reasons.append(STALE)
    summary = failure_summary(failed)
    return "; ".join(reasons) or (
        f"it was right once, and not when its inputs had changed in place: {summary}"
    )


def _is_unmoved(name: str, seen: Results, old: Arrays) -> bool:
    return torch.equal(getattr(seen, name), getattr(old, name))
