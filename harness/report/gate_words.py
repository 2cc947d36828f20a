"""What a gate found, in the words that its terminal, its page and its files share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from harness import formatting
from harness.analysis.gate_facts import GateCell, GateFacts
from harness.analysis.gate_outcomes import GateOutcome, GateVerdict
from harness.records import StopReason
from harness.report.labels import conditions

# The order in which cells are told: what is wrong first, what is the same last.
LOUD = (GateOutcome.BROKEN, GateOutcome.GONE, GateOutcome.SLOWER)
SEEN = (GateOutcome.AMBIGUOUS, GateOutcome.MENDED, GateOutcome.FASTER, GateOutcome.NEW)
FOLDED = (GateOutcome.SAME, GateOutcome.UNSUPPORTED)
HEADINGS = {
    GateOutcome.BROKEN: "head fails or is wrong",
    GateOutcome.GONE: "head lacks the implementation or refuses the problem, and base did not",
    GateOutcome.SLOWER: "head is slower, beyond the margin",
    GateOutcome.AMBIGUOUS: "not decided",
    GateOutcome.MENDED: "base failed or was wrong, and head is right",
    GateOutcome.FASTER: "head is faster, beyond the margin",
    GateOutcome.NEW: "base lacks the implementation or refuses the problem",
    GateOutcome.SAME: "the same, within the margin",
    GateOutcome.UNSUPPORTED: "both refuse the problem",
}


def of_outcome(cells: Iterable[GateCell], outcome: GateOutcome) -> list[GateCell]:
    return [cell for cell in cells if cell.outcome is outcome]


def verdict_sentence(facts: GateFacts) -> str:
    """What the verdict rests on, and what to do where there is none."""
    cells, verdict = facts.cells, facts.verdict
    if verdict is GateVerdict.REGRESSION:
        return f"{counts([cell for cell in cells if cell.outcome.is_regression])} of {_all(cells)}."
    if verdict is GateVerdict.PASSED:
        return f"No regression in {_all(cells)}: {counts(cells)}."
    if facts.incomplete:
        return " ".join(facts.incomplete)
    undecided = [cell for cell in cells if cell.is_undecided]
    if not undecided:
        return (
            f"Nothing could be compared in {_all(cells)}: {counts(cells) or 'none was measured'}."
        )
    return (
        f"In {len(undecided)} of {_all(cells)} head may be slower by more than "
        f"{formatting.percent(facts.margin)}, or not; {_advice(undecided, facts.seconds)}."
    )


def _advice(undecided: Sequence[GateCell], seconds: float) -> str:
    """What may decide these cells: what stopped them says what was lacking."""
    if any(cell.stopped is StopReason.BUDGET for cell in undecided):
        return f"give it more time, as with gate.seconds={2 * seconds:g}"
    launches = [cell.launches for cell in undecided if cell.ratio is not None and not cell.doubtful]
    if launches:
        return f"allow more launches, as with task.most_launches={2 * max(launches)}"
    return "the notes on them say why"


def counts(cells: Iterable[GateCell]) -> str:
    """BROKEN 1, SLOWER 2."""
    found = Counter(cell.outcome for cell in cells)
    return ", ".join(f"{one} {found[one]}" for one in (*LOUD, *SEEN, *FOLDED) if found[one])


def sides(facts: GateFacts) -> list[str]:
    """Which trees were measured, a line each."""
    lines = [f"base: {facts.base.described}", f"head: {facts.head.described}"]
    return [*lines, "Both are the same tree."] if facts.same_tree else lines


def rule(facts: GateFacts) -> str:
    """How to read a ratio, and how far to trust an alarm."""
    alarms, margin = formatting.percent(facts.alarms), formatting.percent(facts.margin)
    return (
        "Ratios are of times, head / base, measured in the same blocks, with intervals that hold "
        f"at all looks together. The rule lets at most {alarms} of gates of two equal trees raise "
        f"an alarm. margin ±{margin}, gate.seconds={facts.seconds:g}, session "
        f"{facts.session}."
    )


def place(cell: GateCell, common: str | None = None) -> str:
    """The cell in one line; without the conditions where all share ``common`` ones."""
    if cell.cell is None:
        return cell.test or "everywhere"
    words = str(cell.cell.problem)
    own = conditions(cell.cell)
    return words if own == common else f"{words}, {own}"


def common_conditions(cells: Sequence[GateCell]) -> str | None:
    """The conditions that all cells share; None where they differ."""
    found = {conditions(cell.cell) for cell in cells if cell.cell is not None}
    return found.pop() if len(found) == 1 else None


def times(cell: GateCell) -> tuple[str, str, str]:
    """Base's, head's, and their ratio."""
    return (
        formatting.seconds(cell.base_seconds),
        formatting.seconds(cell.head_seconds),
        formatting.bounded_or_absent(cell.ratio),
    )


def _all(cells: Sequence[GateCell]) -> str:
    return formatting.counted(len(cells), "cell")
