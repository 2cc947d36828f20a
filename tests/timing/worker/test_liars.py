"""Plug-ins that are right once and then lie, measured for real: each is named, and costs its own
record only.
"""

from __future__ import annotations

import pytest

import harness
from harness.records import Status
from implementations.interface import Problem

LIES = {
    "Cached": "unwritten after the first call",
    "CachedCopies": "its outputs did not",
    "Skipping": "unwritten after the first call",
    "SkippingButCounting": "unwritten after the first call",
    "Mutating": "it changed its input",
    "Elsewhere": "still computing when synchronize() had returned",
    "ElsewhereQueue": "still computing when synchronize() had returned",
    "Waiting": None,
    "Greedy": "out of memory",
    "Killed": "SIGKILL",
}
FELL = {"Greedy": Status.CRASHED, "Killed": Status.CRASHED}


@pytest.fixture(scope="module")
def records(forked_launches):
    """All of them in one cell, beside two that are honest."""
    plugins = [{"_target_": f"lying_bn.{name}"} for name in LIES]
    measured = harness.measure(
        ["torch_native", "numpy", *plugins],
        [Problem((8, 16, 14, 14), activation="relu")],
        threads=1,
        launches=1,
        most_launches=1,
        blocks=1,
    )
    return {made.implementation.removeprefix("lying_bn."): made for made in measured}


@pytest.mark.parametrize("name", LIES)
def test_a_lie_is_named(records, name):
    reason = LIES[name]
    assert records[name].status is (Status.OK if reason is None else FELL.get(name, Status.WRONG))
    assert reason is None or reason in records[name].reason


@pytest.mark.slow
def test_a_lie_costs_its_own_record_only(records):
    assert {records[name].status for name in ("torch_native", "numpy", "canary")} == {Status.OK}
