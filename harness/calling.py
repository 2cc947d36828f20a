"""One untimed call of what an implementation prepared, as everything but the timed loop makes
it.
"""

from __future__ import annotations

from implementations.interface import Prepared, Results


def called(prepared: Prepared) -> Prepared:
    """Make one call, and wait until it is done."""
    prepared.arm(1)
    prepared()
    prepared.synchronize()
    return prepared


def results_of(prepared: Prepared) -> Results:
    """What one call leaves."""
    return called(prepared).results()
