"""How many sets of arrays a cell takes: one for a warm cache, and for a cold one as many as outlast
it.
"""

from __future__ import annotations

from math import ceil

from harness.bandwidth import cache_bytes, traffic
from harness.environment import machine
from implementations.interface import Face, Outputs, Phase, Problem

OUTLASTED = 2  # times the cache that calls on the other sets move before one comes round again
MOST_SETS = 256


def sets_of(
    problem: Problem, phase: Phase, *, face: Face, outputs: Outputs, cache: str, threads: int
) -> int:
    """The number of sets. Raises ValueError for a problem so small that a cold cache takes more
    than ``MOST_SETS``.
    """
    if cache == "warm" or (face, outputs) == ("layer", "reused"):  # which every arm will refuse
        return 1
    available = cache_bytes(machine.processor(), threads)
    moved = traffic(problem, phase, face=face, outputs=outputs, cache_bytes=available).bytes
    sets = 1 + ceil(OUTLASTED * available / moved)
    if sets > MOST_SETS:
        raise ValueError(
            f"{problem}: {phase} moves {moved} bytes, so that {sets} sets of arrays would be "
            f"needed to outlast a cache of {available}; up to {MOST_SETS} are allowed: choose a "
            "larger problem.batch, or task.cache=warm"
        )
    return sets
