"""What a gate's counts of instructions say, as rows of texts for the terminal and for the page."""

from __future__ import annotations

from collections.abc import Sequence

from harness import formatting
from harness.analysis.gate_counts import GateCount, of_agreement
from harness.instruction_counts import Agreement, Counts, Direction
from harness.report.labels import conditions

HEADER = (
    "implementation",
    "call",
    "instructions, base",
    "head",
    "head / base",
    "lines from memory",
    "time",
    "note",
)
RIGHT = (2, 3, 4, 5)
WORDS = {
    Agreement.AGREES: "agrees",
    Agreement.DISAGREES: "disagrees",
    Agreement.UNDECIDED: "undecided",
    Agreement.SILENT: "",
}


def sentence(counts: Sequence[GateCount]) -> str:
    """Whether counts and times agree, over all of them."""
    found = {one: len(of_agreement(counts, one)) for one in Agreement}
    counted = len(counts) - found[Agreement.SILENT]
    same = sum(map(_open_and_the_same, counts))
    parts = [
        f"{formatting.counted(counted, 'call')} counted",
        f"{found[Agreement.AGREES]} agree with time",
        f"{found[Agreement.DISAGREES]} disagree",
        f"{found[Agreement.UNDECIDED]} undecided by time or by counts ({same} the same by counts)",
        f"{found[Agreement.SILENT]} not counted",
    ]
    return (
        f"Instructions, exact, on one thread in the AVX2 path: {', '.join(parts)}. "
        "They change no verdict."
    )


def _open_and_the_same(count: GateCount) -> bool:
    """Where time leaves a call open, that counts find no change is what they have to add."""
    if count.change is None or count.agreement is not Agreement.UNDECIDED:
        return False
    return count.change.direction is Direction.SAME


def rows(counts: Sequence[GateCount]) -> list[tuple[str, ...]]:
    """Those that disagree with time come first."""
    ordered = sorted(counts, key=lambda one: one.agreement is not Agreement.DISAGREES)
    return [_row(one) for one in ordered]


def _row(count: GateCount) -> tuple[str, ...]:
    change, whole = count.change, count.counts_of == "batch_norm"
    where = f"{count.cell.problem}, {conditions(count.cell)}"
    lines = None if change is None else change.line_ratio
    return (
        count.implementation,
        f"batch_norm from Python, {where}" if whole else where,
        _instructions(count.base_counts),
        _instructions(count.head_counts),
        _ratio(None if change is None else change.instruction_ratio),
        _ratio(lines),
        "not timed" if whole and change is not None else WORDS[count.agreement],
        count.reason or "",
    )


def _instructions(counts: Counts | None) -> str:
    return formatting.ABSENT if counts is None else f"{counts.instructions:,}"


def _ratio(ratio: float | None) -> str:
    return formatting.ABSENT if ratio is None else f"{ratio:.4f}"
