"""The levels at which a measurement and its replay can be the same."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from harness.config import UsageError, suggestion
from harness.records import CaseCell, ThroughputCell, TrainingCell


class Level(StrEnum):
    """What "the same" means: bit for bit; each ends as well as it did; all seeds together do."""

    BITWISE = "bitwise"
    EQUIVALENT = "equivalent"
    STATISTICAL = "statistical"


LEVELS: Mapping[str, tuple[Level, ...]] = {  # of each task; the first is the default
    CaseCell.TASK: (Level.BITWISE,),
    TrainingCell.TASK: tuple(Level),
    ThroughputCell.TASK: (Level.STATISTICAL,),
}


def level_of(task: str, given: str | None) -> Level:
    """The level at which a task's records are compared, ``given`` or the default.

    Raises ``UsageError`` for a level that the task does not have.
    """
    if given is None:
        return LEVELS[task][0]
    allowed = [str(level) for level in LEVELS[task]]
    if given not in allowed:
        raise UsageError(
            f"--level {given} is not available for task={task}{suggestion(given, allowed)}; "
            f"allowed: {', '.join(allowed)}"
        )
    return Level(given)
