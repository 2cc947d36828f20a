"""The verdicts of a session as its headlines tell them: corrected for how many comparisons there
were.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness import statistics
from harness.records import CANARY, Record, Verdict
from harness.report import text
from harness.report.views import of_task, outcome


@dataclass(frozen=True)
class Headlines:
    """What is left of a session's verdicts once it counts how many there are.

    ``compared`` are the comparisons corrected for, ``alpha`` their joint error; ``uncorrected``
    verdicts came without a level, before there were any. ``fallen`` are the keys of the records
    whose verdict does not stand.
    """

    compared: int
    alpha: float
    uncorrected: int
    fallen: frozenset[str]

    @classmethod
    def of(cls, records: Sequence[Record]) -> Headlines:
        """Over all throughput records of a session by Holm's rule, but for baseline, canary and
        what is flagged.

        Where they differ in alpha, the least holds for all.
        """
        timed = [
            record for record in of_task(records, "throughput") if record.implementation != CANARY
        ]
        judged = [
            record
            for record in timed
            if record.figures and record.figures["verdict"] and not record.flags
        ]
        levels = {record.key: level for record in judged if (level := _level(record)) is not None}
        alpha = min((record.cell["alpha"] for record in judged), default=0.0)
        stands = dict(zip(levels, statistics.holm(list(levels.values()), alpha), strict=True))
        fallen = {
            record.key
            for record in judged
            if outcome(record) != Verdict.AMBIGUOUS and not stands.get(record.key, True)
        }
        return cls(len(levels), alpha, len(judged) - len(levels), frozenset(fallen))

    def outcome(self, record: Record) -> str:
        """As `views.outcome`, and AMBIGUOUS where the verdict does not stand."""
        return Verdict.AMBIGUOUS if record.key in self.fallen else outcome(record)

    def before(self, record: Record) -> str | None:
        """The verdict that the record had for itself, where it does not stand."""
        return f"{outcome(record)} before Holm" if record.key in self.fallen else None

    def told(self) -> list[str]:
        """For how many comparisons the verdicts are corrected, and what that changed."""
        if not self.compared + self.uncorrected:
            return []
        said = (
            f"Verdicts are corrected for {text.counted(self.compared, 'comparison')} (Holm) and "
            "hold together with "
            f"{text.percent(1 - self.alpha)} confidence; that made {len(self.fallen) or 'none'} "
            "AMBIGUOUS."
        )
        earlier = (
            f"{text.counted(self.uncorrected, 'verdict')} of an earlier protocol came without a "
            "level, and stand "
            "uncorrected."
        )
        return [said] * bool(self.compared) + [earlier] * bool(self.uncorrected)


def _level(record: Record) -> float | None:
    level = (record.figures or {}).get("p_value")
    return None if level is None else float(level)
