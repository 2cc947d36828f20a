"""From a gate's records to what became of each pair in each cell. What decides on times is one
function, which is handed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from harness import statistics
from harness.analysis.gate_facts import GateCell, GatePair
from harness.analysis.gate_outcomes import GateOutcome
from harness.analysis.moderation import moderate
from harness.analysis.selection import throughput_records
from harness.records import CANARY, AnyRecord, Status, ThroughputRecord

LACKING = "base lacks the implementation"
# From cells with a ratio to the same cells with their outcomes.
Decide = Callable[[Sequence[GateCell]], list[GateCell]]


def gate_cells(
    records: Sequence[AnyRecord], pairs: Iterable[GatePair], decide: Decide
) -> tuple[GateCell, ...]:
    """Every pair in every cell, with variances moderated over the session."""
    timed = throughput_records(moderate(records).records)
    cells = [found for pair in pairs for found in _of_pair(pair, timed)]
    judged = [cell for cell in cells if _has_times(cell)]
    decided = iter(decide(judged))
    return tuple(next(decided) if _has_times(cell) else cell for cell in cells)


def _has_times(cell: GateCell) -> bool:
    return cell.ratio is not None and not cell.doubtful


def _of_pair(pair: GatePair, records: Sequence[ThroughputRecord]) -> list[GateCell]:
    name, base, head = pair.implementation, pair.base, pair.head
    if head is None:
        return [GateCell(name, None, GateOutcome.GONE, "head lacks the implementation")]
    arms: dict[str, dict[str, ThroughputRecord]] = {}
    for record in records:
        if record.cell.baseline == (base or head):
            arms.setdefault(record.identity.cell_key, {})[record.implementation] = record
    wanted = {head} if base is None else {base, head}
    return [
        _with_launches(_cell(name, None if base is None else own[base], own[head]), own, head)
        for own in arms.values()
        if wanted <= own.keys()
    ]


def _cell(implementation: str, base: ThroughputRecord | None, head: ThroughputRecord) -> GateCell:
    outcome, reason = _new(head) if base is None else _by_status(base, head)
    flags = {*head.flags, *(() if base is None else base.flags)}
    found = GateCell(
        implementation,
        head.cell,
        outcome,
        reason,
        head_seconds=None if head.figures is None else head.figures.median_seconds,
        launches=0 if head.figures is None else head.figures.launches,
        doubtful=bool(flags),
    )
    if base is None or base.figures is None or head.figures is None:
        return found
    absent = head.figures.ratio_absent or "one launch gives no interval"
    no_ratio = absent if head.figures.ratio is None else None
    return replace(
        found,
        reason=f"no verdict: {', '.join(sorted(flags))}" if flags else no_ratio,
        ratio=head.figures.ratio,
        p_value=head.figures.p_value,
        minimum_detectable_effect=head.figures.minimum_detectable_effect,
        base_seconds=base.figures.median_seconds,
        stopped=head.figures.stopped,
    )


def _with_launches(cell: GateCell, arms: Mapping[str, ThroughputRecord], head: str) -> GateCell:
    """The cell with what was measured in each launch, where it has a ratio."""
    if cell.ratio is None or cell.cell is None:
        return cell
    baseline, found = cell.cell.baseline, arms[head].figures
    samples = {name: record.samples for name, record in arms.items()}
    if found is not None and found.baseline_samples:
        samples[baseline] = found.baseline_samples
    canary = statistics.log_ratios(samples, CANARY, baseline) if CANARY in samples else ()
    ratios = statistics.log_ratios(samples, head, baseline)
    return replace(cell, log_ratios=tuple(ratios), canary=tuple(canary))


def _new(head: ThroughputRecord) -> tuple[GateOutcome, str]:
    """Of an implementation that base lacks."""
    if head.failed:
        return GateOutcome.BROKEN, f"{head.status}: {head.reason} ({LACKING})"
    if head.status is Status.UNSUPPORTED:
        return GateOutcome.UNSUPPORTED, f"head refuses: {head.reason}"
    if head.status is Status.UNAVAILABLE:
        return GateOutcome.AMBIGUOUS, f"head is UNAVAILABLE: {head.reason}"
    return GateOutcome.NEW, LACKING


def _by_status(base: ThroughputRecord, head: ThroughputRecord) -> tuple[GateOutcome, str | None]:
    """What statuses say; AMBIGUOUS without a reason where times are to decide."""
    was_right = base.status is Status.OK
    absent = [
        f"{side} is UNAVAILABLE: {record.reason}"
        for side, record in (("head", head), ("base", base))
        if record.status is Status.UNAVAILABLE
    ]
    if head.failed:
        before = "" if was_right else f" (base is {base.status})"
        outcome, reason = GateOutcome.BROKEN, f"{head.status}: {head.reason}{before}"
    elif absent:
        outcome, reason = GateOutcome.AMBIGUOUS, "; ".join(absent)
    elif head.status is Status.UNSUPPORTED:
        outcome = GateOutcome.GONE if was_right else GateOutcome.UNSUPPORTED
        reason = f"head refuses: {head.reason}"
    elif was_right:
        return GateOutcome.AMBIGUOUS, None
    else:
        outcome = GateOutcome.MENDED if base.failed else GateOutcome.NEW
        verb = f"is {base.status}" if base.failed else "refuses"
        reason = f"base {verb}: {base.reason}"
    return outcome, reason
