"""Two files of pytest-benchmark's, as a table, and in sentences what they cannot tell."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from harness import formatting
from harness.analysis.stored_benchmarks import Commit, StoredComparison
from harness.report.terminal.fitting import Column, FittingTable, Row, drop
from harness.report.terminal.wrapping import Breaks

COLUMNS = (
    Column("test", Breaks.NAMES, most=80),
    Column("before", whole=True),
    Column("after", whole=True),
    Column("after / before", whole=True),
    Column("spread in a run", whole=True),
)
# What a narrow terminal goes without, in this order.
NARROWER = (drop("spread in a run"), drop("before"), drop("after"))
SHORT = 12  # digits of a commit's id


def stored_table(found: StoredComparison) -> FittingTable:
    rows = (
        Row(
            (
                formatting.line(test.name),
                formatting.seconds(test.before),
                formatting.seconds(test.after),
                formatting.ABSENT if test.ratio is None else formatting.ratio(test.ratio),
                formatting.percent(test.spread),
            )
        )
        for test in found.tests
    )
    return FittingTable("medians of two stored runs", COLUMNS, tuple(rows), NARROWER)


def stored_sentences(found: StoredComparison) -> Iterator[str]:
    """What the files cannot tell, and what to do about it."""
    yield (
        "No verdict: each file is one run, and the spread of rounds within a run is no evidence of "
        "how far two runs of the same code are apart."
    )
    for name, (old, new) in found.differences.items():
        yield f"The runs differ in {name}: {old} → {new}; times are of the code and of that."
    if found.same_code:
        yield "Both are of the same commit: what differs is noise."
    for when, commit in (("before", found.before), ("after", found.after)):
        if commit.id is None:
            yield f"The file {when} does not say which commit it is of."
        elif commit.dirty:
            yield f"The file {when} is of {commit.id[:SHORT]} with changes that no commit has."
    if not found.files:
        yield "No test is in both, so there is nothing to compare."
    else:
        yield f"To find out, run both in turn: {gate_command(found.before, found.files)}"


def gate_command(base: Commit, files: tuple[str, ...]) -> str:
    arguments = " ".join(map(quote, files))
    return f"bnbench gate {base.id[:SHORT] if base.id else 'BASE'} --pytest {quote(arguments)}"
