"""Records of one implementation that came to the same for the same reason, so that each reason is
told once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.records import Record, Status
from harness.report import text
from harness.report.views import told_as

NAMED = 3  # cases that a sentence names


@dataclass(frozen=True)
class Alike:
    """``reason`` is the explanation of what is documented, and of what is MISTRUSTED its
    quantities.
    """

    implementation: str
    outcome: str
    reason: str
    records: tuple[Record, ...]

    @property
    def cases(self) -> list[str]:
        """Their names, if they are cases of conformance."""
        return [str(record.cell["case"]) for record in self.records if record.task == "conformance"]


def alike(records: Iterable[Record], outcomes: Iterable[str]) -> list[Alike]:
    """What came to one of these ``outcomes``, in the order in which it comes."""
    groups: dict[tuple[str, str, str], list[Record]] = {}
    for record in records:
        if (outcome := told_as(record)) in outcomes:
            groups.setdefault((record.implementation, outcome, _reason(record)), []).append(record)
    return [Alike(*key, tuple(own)) for key, own in groups.items()]


def named(cases: list[str]) -> str:
    """A few cases by their names, many by their number and the first few."""
    if len(cases) <= NAMED:
        return text.listed(cases)
    return f"{text.counted(len(cases), 'case')} ({', '.join(cases[:NAMED])}, …)"


def _reason(record: Record) -> str:
    if record.status is Status.OK:
        return text.listed((record.figures or {}).get("mistrusted", ()))
    return record.explanation or record.reason or ""
