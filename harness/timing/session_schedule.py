"""Which cell gets the next launch: the one whose undecided arms are decided in the least time.

Pure of processes and clocks: what is known of the cells goes in, and a choice comes out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

LEAST_SECONDS = 1e-9  # that a launch takes, so that one in no time can be divided by


@dataclass(frozen=True)
class UndecidedCell:
    """A cell after so many ``launches``, of which there may be ``most``.

    ``wanted`` are the launches in all that decide an arm, by undecided arm, and ``arm_seconds``
    what each of these adds to a launch. ``shared_seconds`` is what a launch takes without any of
    them, for the baseline, its canary and the floors.
    """

    launches: int
    most: int
    wanted: Mapping[str, int]
    arm_seconds: Mapping[str, float]
    shared_seconds: float

    def seconds(self, index: int) -> float:
        """What launch ``index``, from 0, is expected to take with the arms that want it."""
        arms = (self.arm_seconds[arm] for arm, wanted in self.wanted.items() if wanted > index)
        return max(self.shared_seconds + sum(arms), LEAST_SECONDS)

    def decided_per_second(self, left: float) -> float:
        """The most arms decided for a second, of all that can be decided within ``left`` seconds
        and ``most`` launches; 0 where none can.
        """
        best, cost = 0.0, 0.0
        for launches in range(self.launches + 1, self.most + 1):
            cost += self.seconds(launches - 1)
            if cost > left:
                break
            decided = sum(wanted <= launches for wanted in self.wanted.values())
            best = max(best, decided / cost)
        return best

    def progress_per_second(self) -> float:
        """How much of what its arms lack the next launch brings, for a second of it."""
        missing = (wanted - self.launches for wanted in self.wanted.values())
        brought = sum(1 / launches for launches in missing if launches > 0)
        return brought / self.seconds(self.launches)


def next_cell(cells: Mapping[str, UndecidedCell], left: float) -> str | None:
    """Which of the cells gets the next launch; None where the ``left`` seconds take no launch of
    any, or all have as many as they may.

    First comes what can be decided, most for its time first, then what can only be narrowed.
    """
    possible = [
        name
        for name, cell in cells.items()
        if cell.launches < cell.most and cell.seconds(cell.launches) <= left
    ]
    return max(
        possible,
        key=lambda name: (cells[name].decided_per_second(left), cells[name].progress_per_second()),
        default=None,
    )
