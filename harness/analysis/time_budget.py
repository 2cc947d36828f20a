"""Where a session's wall time went: what share of it was measurement, and what the harness took for
itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.analysis.sections import Section
from harness.records import Seconds, TimeSpent


@dataclass(frozen=True)
class TimeBudget:
    """Seconds over all ``cells``, each once for each session that measured there."""

    spent: TimeSpent
    cells: int

    @property
    def rest(self) -> Seconds:
        """The harness's own time that is neither for checking nor for starting processes."""
        return Seconds(self.spent.own - self.spent.checking - self.spent.starting)

    def share(self, seconds: Seconds) -> float:
        """Of the wall time."""
        return seconds / self.spent.wall


def time_budget(sections: Iterable[Section]) -> TimeBudget | None:
    """None where no record has its time spent, as of an earlier protocol."""
    measurements = (figures for section in sections for figures in section.measurements())
    found = [figures.spent for figures in measurements if figures.spent]
    if not found:
        return None
    spent = TimeSpent(
        wall=_total(one.wall for one in found),
        starting=_total(one.starting for one in found),
        preparing=_total(one.preparing for one in found),
        checking=_total(one.checking for one in found),
        timed=_total(one.timed for one in found),
        untimed=_total(one.untimed for one in found),
        own=_total(one.own for one in found),
    )
    return TimeBudget(spent, len(found))


def _total(seconds: Iterable[Seconds]) -> Seconds:
    return Seconds(sum(seconds))
