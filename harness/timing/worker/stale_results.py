"""Does an arm still do its work when nobody looks? Its first call was held against the oracle;
these are the later ones.

Between two samples the inputs change behind its back, and the results of the second one must be
those of the inputs as they are now. The samples are taken by the very code that times, so that an
arm cannot tell an audit from a measurement.

What stays hidden: an arm that looks at its data and computes anew only when they have changed; and
where memory is not shared, one that kept its results instead of its inputs. The least time that
physics allows is what is left against those.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from itertools import product
from typing import Any

import torch

from harness.conformance.compare import CHUNK, Finding, failures, verify, worst
from harness.conformance.tolerances import bounds
from harness.timing.worker.checksum import Fingerprint, changed, fingerprint, integers
from harness.timing.worker.input_perturbation import CHANGING, changed_in_place
from implementations import oracle
from implementations.interface import Arrays, Phase, Prepared, Problem, Results

__all__ = ["Fingerprint", "audit", "changed", "fingerprint"]

PATIENCE = 1.0  # seconds in which wrong results are watched for changing by themselves
RUNNING = ("running_mean", "running_var")
STILL_COMPUTING = "it was still computing when synchronize() had returned"
STALE = "it returned results of other inputs: its inputs changed in place, its outputs did not"
UNMOVED = "it did not update the running statistics"


@dataclass(frozen=True)
class _Sampled:
    """The audited channels, as a problem of their own, and how often its running statistics are
    updated.
    """

    channels: list[int]
    problem: Problem
    phase: Phase
    updates: int


def audit(
    timed: Callable[[int], object],
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

    ``timed(calls)`` takes a sample as any other: arms for ``2 * calls``, makes as many calls and
    synchronizes. ``arrays`` are what ``prepared`` was prepared on; they are as before afterwards,
    to the bit, unless the reason is that the arm changed them. ``channels`` are looked at, or all.
    An arm that does not share memory with them may have copied them, and is then held against what
    it copied. Raises what the arm raises.
    """
    sampled = _sampled(problem, phase, channels, 2 * calls)
    old = _operands(arrays, sampled)
    began = time.monotonic()
    timed(calls)  # who puts calls off has these still to do when the inputs change
    poisoned = _poison(prepared.results(), phase, arrays) if shares_memory else []
    with changed_in_place(arrays):
        marks, new = fingerprint(arrays), _operands(arrays, sampled)
        # if earlier calls have given the right results by now, these will, as much later
        since = time.monotonic() - began
        timed(calls)
        results = prepared.results()
        seen = _look(results, sampled)
        if shares_memory:
            _poison(results, phase, arrays)  # whoever writes after this was not done
        left = _look(prepared.results(), sampled)
        fault = failures(verify(results, problem, phase, arrays, channels=()))
        said = changed(marks, fingerprint(arrays)) or fault
        if said is not None:
            return said
        judged = [
            _failed(seen, sampled, reading)
            for reading in ([new] if shares_memory else _readings(old, new))
        ]
        failed = min(judged, key=len)
        if _moves_by_itself(prepared, sampled, left, PATIENCE if failed else since):
            return STILL_COMPUTING
    return _named(failed, seen, sampled, old, poisoned) if failed else None


def _poison(results: Results, phase: Phase, arrays: Arrays) -> list[str]:
    """Fill the outputs that the next calls will write with NaN; their names. An operand handed back
    is left alone.
    """
    taken = [
        (given.untyped_storage().data_ptr(), given.untyped_storage().nbytes())
        for field in fields(arrays)
        if isinstance(given := getattr(arrays, field.name), torch.Tensor)
    ]
    names = ["output"] * phase.has_forward + [
        f"grad_{name}" for name in ("input", "residual", "weight", "bias")
    ]
    poisoned = []
    for name in names:
        tensor = getattr(results, name)
        if tensor is not None and not any(
            0 <= tensor.data_ptr() - start < size for start, size in taken
        ):
            tensor.data.fill_(torch.nan)
            poisoned.append(name)
    return poisoned


def _sampled(
    problem: Problem, phase: Phase, channels: Sequence[int] | None, calls: int
) -> _Sampled:
    chosen = list(range(problem.channels) if channels is None else channels)
    shape = (problem.shape[0], len(chosen), *problem.shape[2:])
    return _Sampled(
        chosen,
        replace(problem, shape=shape, memory_format="contiguous"),
        phase,
        calls if phase.training and phase.has_forward else 0,
    )


def _operands(arrays: Arrays, sampled: _Sampled) -> Arrays:
    return replace(arrays, **_narrowed(arrays, sampled))


def _look(results: Results, sampled: _Sampled) -> Results:
    """A copy of what the sampled channels hold at this moment."""
    return replace(results, **_narrowed(results, sampled))


def _narrowed(tensors: Arrays | Results, sampled: _Sampled) -> dict[str, Any]:
    named = {field.name: getattr(tensors, field.name) for field in fields(tensors)}
    return {
        name: tensor.detach()
        .index_select(min(tensor.dim() - 1, 1), _index(sampled, tensor))
        .contiguous()
        for name, tensor in named.items()
        if isinstance(tensor, torch.Tensor)
    }


def _index(sampled: _Sampled, tensor: torch.Tensor) -> torch.Tensor:
    return torch.tensor(sampled.channels, device=tensor.device)


def _readings(old: Arrays, new: Arrays) -> Iterator[Arrays]:
    """What the inputs may be to one who may have copied any of them: as they are now first, then as
    they were.
    """
    yield from (new, old)
    given = [name for name in CHANGING if getattr(old, name) is not None]
    for sources in product((old, new), repeat=len(given)):
        if len({id(source) for source in sources}) > 1:
            yield replace(
                new,
                **{
                    name: getattr(source, name) for name, source in zip(given, sources, strict=True)
                },
            )


def _failed(seen: Results, sampled: _Sampled, arrays: Arrays) -> list[Finding]:
    """What is wrong with the sampled channels as results of ``arrays``."""
    findings = verify(seen, sampled.problem, sampled.phase, arrays)
    if sampled.updates:
        findings = [finding for finding in findings if finding.quantity not in RUNNING]
        findings += _moved(seen, sampled, arrays)
    return [
        replace(finding, index=_place(finding.index, sampled))
        for finding in findings
        if not finding.passed
    ]


def _place(index: tuple[int, ...], sampled: _Sampled) -> tuple[int, ...]:
    """From a place among the sampled channels to the whole tensor's."""
    axis = min(len(index) - 1, 1)
    return tuple(sampled.channels[at] if place == axis else at for place, at in enumerate(index))


def _moved(seen: Results, sampled: _Sampled, arrays: Arrays) -> Iterator[Finding]:
    """Running statistics after k updates with the same batch: r_k = q^k r_0 + (1 - q^k) batch, with
    q = 1 - momentum.

    Each update's rounding, `tolerances`' 4 u_p (|q r| + |momentum batch|), is shrunk by q in every
    later one, so that Σ q^i of them remain, i < k; the batch's own error comes in as often as the
    batch.
    """
    kept, k = 1 - arrays.momentum, sampled.updates
    share, left = (
        1 - kept**k,
        float(k) if abs(kept) == 1 else (1 - abs(kept) ** k) / (1 - abs(kept)),
    )
    anew = replace(arrays, momentum=1.0)  # statistics that are the batch's alone
    size = max(1, CHUNK // sampled.problem.reduction)
    for start in range(0, len(sampled.channels), size):
        group = range(start, min(start + size, len(sampled.channels)))
        exact = oracle.evaluate(sampled.problem, Phase.FORWARD_TRAINING, anew, channels=group)
        allowed = bounds(sampled.problem, Phase.FORWARD_TRAINING, anew, exact)
        for name in RUNNING:
            tensor, before, batch = (
                getattr(seen, name),
                oracle.vector(getattr(arrays, name), group),
                getattr(exact, name),
            )
            info = torch.finfo(tensor.dtype)
            greatest = abs(kept) * abs(before).clip(abs(batch)) + abs(arrays.momentum * batch)
            rounding = 2 * info.eps * greatest + info.tiny * info.eps
            found = worst(
                name,
                oracle.vector(tensor, group),
                kept**k * before + share * batch,
                abs(share) * getattr(allowed, name) + left * rounding,
                tensor.dtype,
            )
            yield replace(found, index=tuple(start + at for at in found.index))


def _moves_by_itself(prepared: Prepared, sampled: _Sampled, left: Results, seconds: float) -> bool:
    """Whether results change within that time, though nobody calls: the proof that something is
    still at work.
    """
    until, pause = time.monotonic() + seconds, 0.01
    while True:
        if not _same(left, _look(prepared.results(), sampled)):
            return True
        if time.monotonic() >= until:
            return False
        time.sleep(pause)
        pause *= 2


def _same(one: Results, other: Results) -> bool:
    """Alike to the bit, NaN too."""
    pairs = ((getattr(one, field.name), getattr(other, field.name)) for field in fields(one))
    return all(
        left is right is None or torch.equal(integers(left), integers(right))
        for left, right in pairs
    )


def _named(
    failed: list[Finding], seen: Results, sampled: _Sampled, old: Arrays, poisoned: list[str]
) -> str:
    """Which lie it is that makes these findings."""
    names = {finding.quantity for finding in failed}
    unwritten = [
        name for name in poisoned if name in names and bool(getattr(seen, name).isnan().all())
    ]
    unmoved = [
        name
        for name in RUNNING
        if sampled.updates
        and name in names
        and torch.equal(getattr(seen, name), getattr(old, name))
    ]
    reasons = [
        f"it left its outputs unwritten after the first call: {', '.join(unwritten)}"
    ] * bool(unwritten)
    reasons += [UNMOVED] * bool(unmoved)
    others = names - set(RUNNING)
    if (
        not reasons
        and others
        and not others & {finding.quantity for finding in _failed(seen, sampled, old)}
    ):
        reasons.append(STALE)
    return (
        "; ".join(reasons)
        or f"it was right once, and not when its inputs had changed in place: {failures(failed)}"
    )
