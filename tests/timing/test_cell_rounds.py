"""Several cells of a job: who gets further launches, what is recorded when, and what it takes, with
launches and a clock that are ours.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import pytest

from harness.isolation import Arm
from harness.records import Protocol, Seconds, Status
from harness.timing.arm_failure import ArmFailed
from harness.timing.cell_rounds import CellRounds
from harness.timing.cell_spec import CellSpec
from harness.timing.launch_variances import launches_wanted
from harness.timing.least_time import least_seconds
from harness.timing.messages import CellSetup
from harness.timing.time_budget import TimeBudget
from implementations.interface import Phase, Problem
from tests.helpers.fake_launch import FakeLaunch, FakePool

pytestmark = pytest.mark.usefixtures("calm_machine")
PILOT = 3
MOST = 12


def spec(number, cell_seconds=1e6, most=MOST):
    """The cell of that number, which its problem's batch tells."""
    setup = CellSetup(
        Problem((number + 2, 2)), Phase.TRAINING_STEP, "layer", "fresh", "cpu", 0, "normal"
    )
    return CellSpec(
        setup,
        {"base": Arm("base"), "mine": Arm("mine"), "canary": Arm("base")},
        "base",
        "canary",
        Protocol(2, PILOT, 3, most, Seconds(0.01), Seconds(cell_seconds)),
        alpha=0.05,
        margin=0.03,
    )


def noise(deviations):
    """By launch, the factor of "mine" in the cell of a problem."""
    generator = np.random.default_rng(1)
    drawn = np.exp(generator.normal(0, 1, (MOST, len(deviations))) * deviations)
    return [lambda problem, row=row: row[problem.shape[0] - 2] for row in drawn]


class Rounds:
    """The rounds of as many cells as there are ``deviations`` from launch to launch."""

    def __init__(self, deviations, budget=1e9, trouble=None, waited=None, **settings):
        self.log, self.texts = [], []
        waits = waited or (lambda count: 0.0)
        self.pool = FakePool(
            FakeLaunch(self.log, index, factor, trouble, waits)
            for index, factor in enumerate(noise(deviations))
        )
        self.budget = TimeBudget(budget, clock=lambda: FakeLaunch.now)
        launches: Any = self.pool
        self.rounds = CellRounds(
            launches, self.budget, lambda: nullcontext(Seconds(0.0)), self.texts.append
        )
        specs = {str(number): spec(number, **settings) for number in range(len(deviations))}
        self.cells = self.rounds.measure(specs)

    def all(self):
        """The measurements, by cell in the order in which they came, with their launches."""
        return {
            cell.key: (cell.launches, str(cell.finish().stopped), cell.measured)
            for cell in self.cells
        }


def test_cells_that_their_pilot_decides_come_at_once_and_the_others_after_all_pilots():
    made = Rounds([0.05, 0.0, 0.05, 0.0])
    assert next(made.cells).key == "1"
    assert {index for index, what, _ in made.log if what == "open"} == {0, 1, 2}
    assert next(made.cells).key == "3"
    assert sorted(cell.key for cell in made.cells) == ["0", "2"]


def test_the_time_that_decided_cells_leave_goes_to_those_that_are_undecided():
    alone = Rounds([0.02], budget=2.5, cell_seconds=2.5).all()
    among = Rounds([0.02, 0.0, 0.0, 0.0], budget=10.0, cell_seconds=2.5).all()
    assert alone["0"][:2] == (3, "budget") or alone["0"][0] < among["0"][0]
    assert among["0"][0] > PILOT
    assert {key: among[key][:2] for key in "123"} == dict.fromkeys("123", (PILOT, "precision"))


def test_an_arm_that_is_decided_has_no_part_in_further_launches_and_noise_alone_asks_for_them():
    made = Rounds([0.02, 0.0]).all()
    assert made["1"][0] == PILOT
    launches, stopped, measured = made["0"]
    assert stopped == "precision"
    assert launches == launches_wanted_of(measured)


def launches_wanted_of(measured):
    """By the pilot alone: what came after it decides nothing."""
    return launches_wanted(spec(0), measured)["mine"]


def test_a_cell_stops_at_its_most_launches():
    assert Rounds([0.5, 0.0]).all()["0"][:2] == (MOST, "launches")


def test_what_the_budget_leaves_undecided_says_so():
    made = Rounds([0.3, 0.3, 0.0], budget=6.0, cell_seconds=2.0)
    stopped = {key: reason for key, (_, reason, _) in made.all().items()}
    assert stopped == {"0": "budget", "1": "budget", "2": "precision"}


@pytest.mark.parametrize("slower", [1.0, 2.0])
@pytest.mark.parametrize("waited", [0.0, 0.5])
@pytest.mark.parametrize("times", [1.0, 1.5, 5.0])
def test_a_job_takes_no_more_than_it_was_given_on_a_busy_machine_too(
    monkeypatch, times, waited, slower
):
    monkeypatch.setattr(FakeLaunch, "slower", slower)
    deviations = [0.3, 0.0, 0.05, 0.02, 0.0]
    each = times * least_seconds(spec(0).protocol, len(spec(0).arms))  # below it there is a warning
    budget = each * len(deviations)
    made = Rounds(deviations, budget, waited=lambda count: waited, cell_seconds=each)
    assert len(made.all()) == 5
    assert made.budget.spent <= 1.3 * budget
    assert made.budget.spent == pytest.approx(
        sum(seconds for _, what, seconds in made.log if what == "seconds")
    )


def test_a_cell_that_overran_is_paid_for_by_the_others():
    trouble = {("sample", "mine"): ArmFailed("mine", Status.CRASHED, "SIGSEGV", died=True)}
    made = Rounds([0.0] * 4, budget=4.0, cell_seconds=4.0, trouble=trouble)
    assert len(made.all()) == 4
    assert made.budget.spent <= 1.3 * 4.0


def test_an_arm_that_dies_in_a_further_launch_is_out_and_what_was_measured_of_others_stays():
    made = Rounds([0.05, 0.0])
    assert next(made.cells).key == "1"
    for launch in made.pool[PILOT:]:
        launch.trouble = {
            ("sample", "mine"): ArmFailed("mine", Status.CRASHED, "SIGSEGV", died=True)
        }
    [cell] = made.cells
    assert cell.measured.failures["mine"].status is Status.CRASHED
    assert "mine" not in cell.measured.samples
    assert {sample.launch for sample in cell.measured.samples["base"]} == set(range(PILOT + 1))


def test_what_was_not_settled_when_it_was_interrupted_waits_with_its_whole_launches():
    made = Rounds([0.3, 0.0, 0.3])
    assert next(made.cells).key == "1"
    made.pool[PILOT].trouble = {("sample", "base"): KeyboardInterrupt()}
    with pytest.raises(KeyboardInterrupt):
        next(made.cells)
    assert made.rounds.waiting.keys() == {"0", "2"}
    for cell in made.rounds.waiting.values():
        assert {sample.launch for sample in cell.measured.samples["mine"]} == set(range(PILOT))


def test_the_machine_is_held_for_a_pilot_and_for_each_further_launch():
    made, held = Rounds([0.05, 0.0]), []

    @contextmanager
    def lock():
        held.append(sum(what == "open" for _, what, _ in made.log))
        yield Seconds(2.0)

    made.rounds._lock = lock
    cells = {cell.key: cell for cell in made.cells}
    further = cells["0"].launches - PILOT
    assert further > 1
    assert held == [0, PILOT, *range(2 * PILOT, 2 * PILOT + further)]
    assert cells["0"].lock_wait == 2.0 * (1 + further)


def test_progress_says_how_many_cells_are_decided_and_how_many_get_more():
    made = Rounds([0.05, 0.0, 0.0])
    made.all()
    assert "training_step 2×2: launch 4; 2 cells decided, 1 gets more launches" in made.texts


def test_another_rule_decides_who_is_undecided():
    made = Rounds([0.05, 0.0])
    made.rounds._rule = lambda spec, measured, prior: {"mine": PILOT + 2}
    assert {launches for launches, _, _ in made.all().values()} == {PILOT + 2}
