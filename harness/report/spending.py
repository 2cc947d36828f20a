"""Where a session's wall time went: what share of it was measurement, and what the harness took for
itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.report import text
from harness.report.views import Section

ARMS = {
    "timed": "timed calls",
    "untimed": "untimed calls: warm-up, and those before each sample",
    "preparing": "preparing implementations, with compiling and first calls",
}
HARNESS = {"checking": "checking results, and measuring memory", "starting": "starting processes"}
REST = "the rest: watching the machine, talking to workers, clearing up"


@dataclass(frozen=True)
class Spending:
    """Seconds over all cells. ``own`` is the harness's share: all but the implementations'
    preparation and calls.
    """

    seconds: dict[str, float]
    cells: int

    @classmethod
    def of(cls, sections: Iterable[Section]) -> Spending | None:
        """Each cell once for each session that measured there. None where no record tells, as of an
        earlier protocol.
        """
        found = [
            figures["spent"]
            for section in sections
            for cell in section.cells
            for figures in cell.measurements
            if figures.get("spent")
        ]
        names = dict.fromkeys(name for spent in found for name in spent)
        return (
            cls({name: sum(spent.get(name, 0.0) for spent in found) for name in names}, len(found))
            if found
            else None
        )

    def brief(self) -> str:
        """The harness itself took 23 % of 312 s."""
        wall = self.seconds["wall"]
        return (
            f"The harness itself took {text.percent(self.seconds['own'] / wall)} of "
            f"{text.seconds(wall)}; "
            f"timed calls were {text.percent(self.seconds.get('timed', 0.0) / wall)}."
        )

    def table(self) -> str:
        """A row an activity: seconds, and share of the wall time."""
        told = self.seconds
        rest = told["own"] - sum(told.get(name, 0.0) for name in HARNESS)
        rows = [
            *((what, told.get(name, 0.0)) for name, what in ARMS.items()),
            *((f"harness: {what}", told.get(name, 0.0)) for name, what in HARNESS.items()),
            (f"harness: {REST}", rest),
            ("**the harness in all**", told["own"]),
            ("**wall**", told["wall"]),
        ]
        return text.columns(
            ["spent on", "time", "share"],
            [
                [what, text.seconds(taken), text.percent(taken / told["wall"])]
                for what, taken in rows
            ],
            right=(1, 2),
        )
