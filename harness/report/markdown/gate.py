"""What a gate found as a page: for a step summary, and for a comment that the next one replaces."""

from __future__ import annotations

from collections.abc import Sequence

from harness import formatting
from harness.analysis.gate_facts import GateCell, GateFacts
from harness.analysis.gate_outcomes import GateOutcome
from harness.report import gate_counts
from harness.report.gate_words import (
    FOLDED,
    HEADINGS,
    LOUD,
    SEEN,
    common_conditions,
    of_outcome,
    place,
    rule,
    sides,
    times,
    verdict_sentence,
)

MARKER = "<!-- bnbench gate -->"  # the first line, by which a comment is found again
LONGEST = 60_000  # characters: a comment of GitHub's has room for 65,536
HEADER = ("implementation", "problem", "base", "head", "head / base", "note")
CUT = "The rest is too long for a comment; `gate.json` has all of it."


def gate_page(facts: GateFacts) -> str:
    """The verdict first, what is wrong in the open, the rest folded."""
    common = common_conditions(facts.cells)
    opening = [
        MARKER,
        f"## bnbench gate: {facts.verdict}",
        formatting.plain(verdict_sentence(facts)),
        "\n".join(f"- {formatting.plain(sentence, 1000)}" for sentence in sides(facts)),
    ]
    if common:
        opening.append(f"Timed: {formatting.plain(common)}.")
    sections = [
        *(_open(outcome, facts, common) for outcome in LOUD),
        *(_folded(outcome, facts, common) for outcome in (*SEEN, *FOLDED)),
        _counts(facts),
    ]
    return _within(
        opening, [section for section in sections if section], formatting.plain(rule(facts), 1000)
    )


def _open(outcome: GateOutcome, facts: GateFacts, common: str | None) -> str:
    cells = of_outcome(facts.cells, outcome)
    return f"### {outcome}: {HEADINGS[outcome]}\n\n{_table(cells, common)}" if cells else ""


def _folded(outcome: GateOutcome, facts: GateFacts, common: str | None) -> str:
    cells = of_outcome(facts.cells, outcome)
    if not cells:
        return ""
    summary = f"{outcome} {len(cells)}: {HEADINGS[outcome]}"
    return f"<details><summary>{summary}</summary>\n\n{_table(cells, common)}\n\n</details>"


def _counts(facts: GateFacts) -> str:
    if not facts.counts:
        return ""
    rows = [[formatting.plain(text) for text in row] for row in gate_counts.rows(facts.counts)]
    table = formatting.columns(gate_counts.HEADER, rows, gate_counts.RIGHT)
    summary = "exact counts of instructions"
    return (
        f"{formatting.plain(gate_counts.sentence(facts.counts), 1000)}\n\n"
        f"<details><summary>{summary}</summary>\n\n{table}\n\n</details>"
    )


def _table(cells: Sequence[GateCell], common: str | None) -> str:
    rows = (
        (
            formatting.code(cell.implementation),
            formatting.plain(place(cell, common)),
            *times(cell),
            formatting.plain(cell.reason or ""),
        )
        for cell in cells
    )
    return formatting.columns(HEADER, rows, right=(2, 3, 4))


def _within(opening: list[str], sections: list[str], ending: str) -> str:
    """As many whole sections as there is room for."""
    kept: list[str] = []
    room = LONGEST - sum(map(len, (*opening, ending, CUT)))
    for section in sections:
        room -= len(section) + 2
        if room < 0:
            kept.append(CUT)
            break
        kept.append(section)
    return "\n\n".join([*opening, *kept, ending]) + "\n"
