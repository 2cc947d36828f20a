"""What a terminal shows beneath its tables: why what is not OK is not, and how to see it again."""

from __future__ import annotations

from collections.abc import Sequence

from harness.records import CANARY, Record
from harness.report import text
from harness.report.alike import Alike, alike, named
from harness.report.repeat import command
from harness.report.views import (
    DOCUMENTED,
    FAILED,
    KNOWN,
    MISTRUSTED,
    NO_RATIO,
    REFUSED,
    of_task,
    told_as,
)

REASONS = 8  # of a kind that a terminal shows
Told = tuple[str, str | None]  # a sentence, and the command that repeats what it tells of


def why(records: Sequence[Record]) -> list[Told]:
    """Failures first, then what is documented, what proves too little, and refusals; each reason
    once.
    """
    records = [record for record in records if record.implementation != CANARY]
    doubted = sum(told_as(record) == MISTRUSTED for record in records)
    about = (
        f"{MISTRUSTED}: cancellation leaves a tolerance too wide to prove anything; the report "
        "names the "
        f"{text.counted(doubted, 'case')}"
    )
    return [
        *_told(records, FAILED),
        *_told(records, [DOCUMENTED]),
        *([(about, None)] if doubted else []),
        *_told(records, REFUSED),
        *_without_ratio(records),
    ]


def _without_ratio(records: Sequence[Record]) -> list[Told]:
    """Who was timed and has no ratio, each reason once."""
    names: dict[str, dict[str, None]] = {}
    for record in of_task(records, "throughput"):
        if (
            record.figures
            and record.figures["ratio_absent"]
            and record.implementation != record.cell["baseline"]
        ):
            names.setdefault(record.figures["ratio_absent"], {})[record.implementation] = None
    return [(f"{', '.join(found)}: {NO_RATIO}: {reason}", None) for reason, found in names.items()]


def _told(records: Sequence[Record], outcomes: Sequence[str]) -> list[Told]:
    groups = alike(records, outcomes)
    told = [
        (f"{group.implementation}: {_sentence(group)}", _command(group))
        for group in groups[:REASONS]
    ]
    more = len(groups) - REASONS
    return (
        told
        if more <= 0
        else [*told, (f"and {text.counted(more, 'other reason')}, in the report", None)]
    )


def _sentence(group: Alike) -> str:
    if group.outcome == DOCUMENTED:
        return f"{KNOWN} in {named(group.cases)}: {group.reason}"
    where = f" in {named(group.cases)}" if group.cases and group.outcome in FAILED else ""
    return f"{group.outcome}{where}: {group.reason}"


def _command(group: Alike) -> str | None:
    """The command for the first of them; only a failed case has one."""
    return command(group.records[0]) if group.cases and group.outcome in FAILED else None
