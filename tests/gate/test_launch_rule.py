"""A gate's job gives further launches to undecided cells alone, once every cell has its pilot."""

from __future__ import annotations

from math import exp

import pytest

from harness.gate.launch_rule import GateLaunchRule
from harness.isolation import Arm
from harness.records import Protocol, Seconds, Status
from harness.statistics.stopping_rule import StoppingRule
from harness.timing.arm_failure import ArmFailed
from harness.timing.cell_spec import CellMeasurement, CellSpec
from harness.timing.messages import CellSetup
from implementations.interface import Phase, Problem
from tests.helpers.samples import sample

QUIET = (0.001, -0.001, 0.002, -0.002, 0.001, -0.001)
NOISY = (0.2, -0.2, 0.1, -0.1, 0.2, -0.2)


@pytest.fixture
def asked():
    """Asks the rule of a job of two cells for one of them."""
    rule = GateLaunchRule(StoppingRule(), 2)

    def ask(number, noise, launches=3, failed=None):
        found = rule(spec(number), measured(noise[:launches], failed), None)
        return dict(found)

    return ask


def spec(number):
    setup = CellSetup(
        Problem((number + 2, 2)), Phase.TRAINING_STEP, "layer", "fresh", "cpu", 0, "normal"
    )
    arms = {"base": Arm("base"), "head": Arm("head"), "canary": Arm("base")}
    protocol = Protocol(2, 3, 3, 12, Seconds(0.01), Seconds(1.0))
    return CellSpec(setup, arms, "base", "canary", protocol, alpha=0.05, margin=0.03)


def measured(noise, failed=None):
    """One block a launch; base takes a second a call, and head as the noise has it."""
    made = CellMeasurement()
    for launch, deviation in enumerate(noise):
        seconds = {"base": 1.0, "canary": exp(deviation / 2), "head": exp(deviation)}
        for arm, value in seconds.items():
            made.samples.setdefault(arm, []).append(sample(launch, 0, value))
    if failed is not None:
        made.failures[failed] = ArmFailed(failed, Status.CRASHED, "SIGSEGV")
    return made


def test_nothing_is_decided_before_every_cell_has_its_pilot(asked):
    assert asked(0, QUIET) == {"head": 4}
    assert asked(1, NOISY) == {"head": 4}
    assert asked(0, QUIET) == {"head": 3}  # decided, now that all are known


def test_a_decided_cell_wants_no_more_and_an_undecided_one_the_next(asked):
    asked(0, QUIET)
    assert asked(1, NOISY) == {"head": 4}
    assert asked(1, NOISY, launches=5) == {"head": 6}
    assert asked(0, QUIET) == {"head": 3}


def test_a_pilot_that_was_cut_short_is_completed_first(asked):
    assert asked(0, QUIET, launches=2) == {"head": 3}


@pytest.mark.parametrize("failed", ["head", "base"])
def test_what_failed_wants_nothing_and_keeps_no_other_cell_waiting(asked, failed):
    assert asked(0, QUIET, failed=failed) == {}
    assert asked(1, QUIET) == {"head": 3}


def test_of_undecided_cells_the_likelier_alarm_wants_fewer_more(asked):
    asked(0, NOISY)
    slower = tuple(0.1 + deviation for deviation in NOISY)
    assert asked(1, slower) == {"head": 4}
    assert asked(0, NOISY) == {"head": 5}
