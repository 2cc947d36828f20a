"""Which of a gate's cells are counted under valgrind, and what their counts say.

Counting follows timing, which it would disturb. What would take long there is left out, with the
reason: a large problem, and an implementation that compiles code when it is prepared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from harness import formatting
from harness.analysis.gate_counts import GateCount
from harness.analysis.gate_facts import GateCell, GatePair
from harness.analysis.gate_outcomes import GateOutcome
from harness.instruction_counts import (
    Agreement,
    CountedCall,
    CountOutcome,
    compare_counts,
    count_both,
)
from harness.isolation import Arm
from harness.problems.memory import operand_bytes
from harness.records import AnyRecord, Cost, Status, ThroughputCell, ThroughputRecord, Verdict

# Of what has times on both sides.
VERDICTS = {GateOutcome[verdict.name]: verdict for verdict in Verdict}
# Native seconds under callgrind with its caches, and how often each call runs there.
TIMES_AS_LONG, CALLS = 80, 6
DRAWING = 4e-8  # seconds for a byte of operands, which NumPy draws under valgrind
LONGEST, TOGETHER = 60.0, 600.0  # seconds of one side, for one call and for all

Costs = Mapping[tuple[str, ThroughputCell], Cost]  # of the arm of this label
ArmPair = tuple[Arm, Arm]  # of base and of head
Arms = Mapping[GatePair, ArmPair]


@dataclass(frozen=True)
class Candidate:
    """What may be counted. ``seconds`` are expected for each side."""

    cell: GateCell
    timed: ThroughputCell
    arms: ArmPair
    call: CountedCall
    seconds: float

    @property
    def verdict(self) -> Verdict | None:
        """Time's. A whole call of `batch_norm` is not timed."""
        return None if self.call.way == "batch_norm" else VERDICTS[self.cell.outcome]


def counted_cells(
    cells: Sequence[GateCell],
    records: Iterable[AnyRecord],
    arms: Arms,
    announce: Callable[[str], None],
) -> tuple[GateCount, ...]:
    """Every cell on the CPU that has times of both sides, and for each implementation its smallest
    one as `batch_norm` is called; what would take too long without counts.
    """
    found = _affordable(candidates(cells, records, arms))
    chosen = [one for one, reason in found if reason is None]
    if chosen:
        announce(
            f"the instructions of {formatting.counted(len(chosen), 'call')} are counted under "
            "valgrind, in base and in head, which takes some minutes"
        )
    counts = dict(_counted(chosen))
    return tuple(
        counts[one] if reason is None else _uncounted(one, reason) for one, reason in found
    )


def candidates(
    cells: Sequence[GateCell], records: Iterable[AnyRecord], arms: Arms
) -> list[Candidate]:
    costs: Costs = {
        (one.implementation, one.cell): one.cost
        for one in records
        if isinstance(one, ThroughputRecord)
    }
    found: list[Candidate] = []
    for pair, both in arms.items():
        own = [
            _candidate(cell, cell.cell, both, costs.get((str(pair.head), cell.cell), Cost()))
            for cell in cells
            if cell.implementation == pair.implementation
            and cell.cell is not None
            and cell.cell.device == "cpu"
            and cell.outcome in VERDICTS
        ]
        found += own
        if own:
            smallest = min(own, key=lambda one: one.seconds)
            found.append(replace(smallest, call=replace(smallest.call, way="batch_norm")))
    return found


def _candidate(cell: GateCell, timed: ThroughputCell, arms: ArmPair, cost: Cost) -> Candidate:
    call = CountedCall(
        arms[0].implementation, timed.problem, timed.phase, timed.face, timed.outputs
    )
    ready = (cost.prepare_seconds or 0.0) + (cost.compile_seconds or 0.0)
    native = ready + CALLS * (cell.head_seconds or 0.0)
    seconds = TIMES_AS_LONG * native + DRAWING * operand_bytes(timed.problem)
    return Candidate(cell, timed, arms, call, seconds)


def _affordable(found: Sequence[Candidate]) -> list[tuple[Candidate, str | None]]:
    """Each with the reason for which it is left out; the quickest come first into the total."""
    left, reasons = TOGETHER, dict[int, str]()
    for number in sorted(range(len(found)), key=lambda each: found[each].seconds):
        seconds = found[number].seconds
        if seconds > min(LONGEST, left):
            limit = f"{LONGEST:.0f} s" if seconds > LONGEST else f"the {TOGETHER:.0f} s for all"
            reasons[number] = (
                f"left out: preparing and calling it would take some {seconds:.0f} s under "
                f"valgrind, which is beyond {limit}"
            )
        else:
            left -= seconds
    return [(one, reasons.get(number)) for number, one in enumerate(found)]


def _counted(chosen: Sequence[Candidate]) -> Iterator[tuple[Candidate, GateCount]]:
    """One process a side for all that run in the same places."""
    places = dict.fromkeys((one.arms[0].place, one.arms[1].place) for one in chosen)
    for base, head in places:
        own = [one for one in chosen if (one.arms[0].place, one.arms[1].place) == (base, head)]
        outcomes = count_both([one.call for one in own], base, head)
        for one, (before, after) in zip(own, outcomes, strict=True):
            yield one, _compared(one, before, after)


def _compared(one: Candidate, base: CountOutcome, head: CountOutcome) -> GateCount:
    found = compare_counts(base, head, one.verdict, one.timed.margin)
    reasons = [
        f"{side}: {outcome.status}: {outcome.reason}"
        for side, outcome in (("base", base), ("head", head))
        if outcome.status is not Status.OK
    ]
    return GateCount(
        one.cell.implementation,
        one.timed,
        one.call.way,
        found.agreement,
        base.counts,
        head.counts,
        found.change,
        "; ".join(reasons) or None,
    )


def _uncounted(one: Candidate, reason: str) -> GateCount:
    return GateCount(
        one.cell.implementation, one.timed, one.call.way, Agreement.SILENT, reason=reason
    )
