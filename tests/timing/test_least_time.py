"""What a cell takes at least, and what is told where it has less."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.isolation import Arm
from harness.records import Protocol, Seconds
from harness.timing.cell import CellLaunch
from harness.timing.cell_spec import FLOORS, CellSpec
from harness.timing.least_time import least_seconds, too_little_time
from harness.timing.messages import CellSetup
from harness.timing.time_account import TimeAccount
from harness.timing.time_budget import TimeBudget
from implementations.interface import Phase, Problem
from tests.helpers.fake_launch import FakeLaunch
from tests.helpers.made_records import throughput_record

pytestmark = pytest.mark.usefixtures("calm_machine")
SETUP = CellSetup(Problem((2, 2)), Phase.TRAINING_STEP, "layer", "fresh", "cpu", 0, "normal")
ARMS = {name: Arm("base") for name in ("base", "mine", "canary")}


@pytest.mark.parametrize(("blocks", "sample_seconds"), [(2, 0.1), (5, 0.1), (4, 0.5)])
def test_the_least_is_what_a_quiet_launch_of_short_calls_takes(blocks, sample_seconds):
    protocol = Protocol(2, 1, blocks, 1, Seconds(sample_seconds))
    spec = CellSpec(SETUP, ARMS, "base", "canary", protocol, alpha=0.05, margin=0.03)
    budget = TimeBudget(1e9, clock=lambda: FakeLaunch.now)
    launch: Any = FakeLaunch([], 0)
    CellLaunch(launch, spec, 0, [*ARMS, *FLOORS], TimeAccount(), budget).measure(1e9)
    assert budget.spent == pytest.approx(least_seconds(protocol, len(ARMS)), rel=0.15)


def plan(**protocol):
    identity = throughput_record().identity
    cell = replace(identity.cell, protocol=Protocol(2, 3, 4, 5, **protocol))
    return [replace(identity, cell=cell, implementation=name) for name in ARMS]


def test_a_cell_that_has_less_than_it_takes_is_told_with_the_keys_that_would_help():
    least = least_seconds(plan()[0].cell.protocol, len(ARMS))
    warning = too_little_time(plan(cell_seconds=Seconds(0.5)))
    assert warning is not None
    assert "task.cell_seconds=0.5 is less than the" in warning
    assert f"{least:.2f} s" in warning
    for key in ("task.launches=3", "task.blocks=4", "task.sample_seconds=0.01"):
        assert key in warning
    assert too_little_time(plan(cell_seconds=Seconds(1.01 * least))) is None


def test_of_several_cells_the_one_that_lacks_most_is_told():
    some, more = plan(cell_seconds=Seconds(1.0)), plan(cell_seconds=Seconds(0.1))
    assert "cell_seconds=0.1 " in (too_little_time([*some, *more]) or "")
    assert "cell_seconds=0.1 " in (too_little_time([*more, *some]) or "")
