"""The order of things in a cell and what becomes of trouble, proved with launches and a clock that
are ours.
"""

from __future__ import annotations

import math
from collections import Counter
from contextlib import nullcontext
from dataclasses import replace
from itertools import groupby
from typing import Any

import numpy as np
import pytest

from harness.isolation import Arm
from harness.problems import operand_bytes
from harness.records import Protocol, Seconds, Status, Verdict
from harness.statistics import LaunchVariance, fit_prior
from harness.timing.arm_failure import ArmFailed
from harness.timing.cell_rounds import CellRounds
from harness.timing.cell_spec import FLOORS, CellSpec
from harness.timing.figures import figures_of
from harness.timing.launch_variances import launch_variances, launches_wanted
from harness.timing.messages import CellSetup
from harness.timing.schedule import SAMPLE_ATTEMPTS
from harness.timing.time_budget import TimeBudget
from implementations.interface import Phase, Problem
from tests.helpers.fake_launch import SECONDS, FakeLaunch, FakePool

pytestmark = pytest.mark.usefixtures("calm_machine")
SPEC = CellSpec(
    CellSetup(Problem((2, 2)), Phase.TRAINING_STEP, "layer", "fresh", "cpu", 0, "normal"),
    {"base": Arm("base"), "mine": Arm("mine"), "canary": Arm("base")},
    "base",
    "canary",
    Protocol(2, 8, 3),
    alpha=0.05,
    margin=0.03,
)


def measured(
    *,
    launches=3,
    most=3,
    blocks=3,
    cell_seconds=1e6,
    factors=None,
    trouble=None,
    waited=lambda count: 0.0,
    prior=None,
    arms=SPEC.arms,
):
    log = []
    pool: Any = FakePool(
        FakeLaunch(log, index, factor, trouble, waited)
        for index, factor in enumerate(factors or [1.0] * most)
    )
    protocol = Protocol(2, launches, blocks, most, Seconds(0.01), cell_seconds)
    spec = replace(SPEC, protocol=protocol, arms=arms)
    budget = TimeBudget(cell_seconds, clock=lambda: FakeLaunch.now)

    def rule(spec, measured, _):
        return launches_wanted(spec, measured, prior)

    rounds = CellRounds(pool, budget, lambda: nullcontext(Seconds(0.0)), lambda text: None, rule)
    [done] = rounds.measure({"cell": spec})
    return done.finish(), log


def test_the_instruction_sets_in_use_are_known_of_each_arm():
    made, _ = measured(launches=2, most=2)
    assert made.instruction_sets["mine"] == {"torch": "that of mine"}
    assert figures_of(SPEC, made, "mine")[0].instruction_sets == {"torch": "that of mine"}


def test_in_a_launch_arms_are_prepared_checked_warmed_up_sampled_and_audited_in_that_order():
    _, log = measured(launches=1, most=1)
    order = ["open", "prepare", "verify whole", "memory", "sample", "warm", "audit", "clear"]
    for arm in ("base", "mine"):
        stages = [what for what, _ in groupby(what for _, what, which in log if which == arm)]
        assert stages == ["prepare", "verify whole", "memory", "sample", "warm", "sample", "audit"]
    first = {
        what: min(place for place, (_, event, _) in enumerate(log) if event == what)
        for what in order
    }
    assert sorted(order, key=first.__getitem__) == order
    assert log[-1][1] == "clear"


def test_blocks_begin_when_every_arm_has_been_warmed_up_and_audits_when_the_last_block_is_done():
    _, log = measured(launches=1, most=1, blocks=4)
    last_warm = max(place for place, (_, what, _) in enumerate(log) if what == "warm")
    blocks = [arm for _, what, arm in log[last_warm + 1 :] if what == "sample"]
    assert [Counter(blocks[at : at + 5]) for at in range(0, len(blocks), 5)] == [
        Counter(SECONDS.keys() - {"steady"})
    ] * 4


def test_memory_and_every_channel_are_looked_at_in_the_first_launch_only():
    _, log = measured(launches=3)
    assert {index for index, what, _ in log if what in {"memory", "verify whole"}} == {0}
    sampled = {index for index, what, arm in log if what == "verify" and arm != "canary"}
    assert sampled == {1, 2}


def test_an_arm_s_accuracy_is_that_of_every_channel_in_the_first_launch():
    found, _ = measured(launches=3)
    assert set(found.accuracy) == {"base", "mine", "canary"}
    assert {accuracy.channels for accuracy in found.accuracy.values()} == {64}


def test_what_is_dear_to_find_out_of_the_baseline_is_not_found_out_again_of_its_second_name():
    found, log = measured(launches=2)
    stages = {what for _, what, which in log if which == "canary"}
    assert stages == {"prepare", "verify", "sample", "warm"}
    assert found.accuracy["canary"] == found.accuracy["base"]
    assert found.memory["canary"] == found.memory["base"]


def test_a_baseline_that_does_not_work_any_more_is_out_under_both_names():
    found, _ = measured(trouble={("audit", "base"): ArmFailed("base", Status.WRONG, "stale")})
    reasons = {arm: failure.reason for arm, failure in found.failures.items()}
    assert reasons == {"base": "stale", "canary": "stale"}
    assert found.samples.keys() == {"mine", *FLOORS}


def test_where_the_baseline_is_not_there_its_second_name_is_checked_by_itself():
    _, log = measured(trouble={("prepare", "base"): ArmFailed("base", Status.UNAVAILABLE, "no")})
    stages = {what for _, what, which in log if which == "canary"}
    assert {"verify whole", "memory", "audit"} <= stages


def test_arms_are_audited_in_the_first_launch_and_in_the_pilots_last():
    _, log = measured(launches=4, most=4)
    assert {index for index, what, _ in log if what == "audit"} == {0, 3}


def test_a_precise_pilot_needs_no_more_launches():
    done, _ = measured(launches=3, most=9)
    assert len(done.costs["mine"]) == 3
    assert done.stopped == "precision"


def test_a_noisy_pilot_is_followed_by_more_launches_up_to_the_most():
    factors = np.exp(np.random.default_rng(0).normal(0, 0.1, 9)).tolist()
    done, _ = measured(launches=3, most=9, factors=factors)
    assert len(done.costs["mine"]) == 9
    assert done.stopped == "launches"


@pytest.mark.parametrize(("own", "of_others", "fewer"), [(0.03, 0.015, True), (0.002, 0.05, False)])
def test_how_many_launches_follow_a_pilot_goes_by_the_noise_of_other_cells_too(
    own, of_others, fewer
):
    factors = np.exp([-own, 0.0, own, *[0.0] * 37]).tolist()
    covariates = (math.log(operand_bytes(SPEC.setup.problem)), 1.0, None)
    rows = [LaunchVariance(of_others**2, 7, str(cell), covariates) for cell in range(20)]
    alone, _ = measured(launches=3, most=40, factors=factors)
    among, _ = measured(launches=3, most=40, factors=factors, prior=fit_prior(rows))
    counts = len(among.costs["mine"]), len(alone.costs["mine"])
    assert counts[0] < counts[1] if fewer else counts[0] > counts[1] == 3


def test_a_cells_rows_are_of_the_arms_that_stood_beside_the_baseline_and_of_the_canary():
    done, _ = measured(factors=[1.0, 1.1, 1.2])
    rows = launch_variances(SPEC, done, "cell")
    assert rows.keys() == {"mine", "canary"}
    assert rows["mine"].variance == pytest.approx(np.var(np.log([1.0, 1.1, 1.2]), ddof=1))
    assert {row.covariates[1] for row in rows.values()} == {1.0}  # neither is this package's own
    fallen, _ = measured(trouble={("audit", "base"): ArmFailed("base", Status.WRONG, "off")})
    assert launch_variances(SPEC, fallen, "cell") == {}


def test_a_fifth_more_time_is_found_slower_whatever_the_launches_do():
    offsets = np.exp(np.random.default_rng(1).normal(0, 0.02, 8))
    done, _ = measured(launches=8, most=8, factors=(1.2 * offsets).tolist())
    figures, flags = figures_of(SPEC, done, "mine")
    assert flags == ()
    assert figures.verdict is Verdict.SLOWER
    assert figures.ratio.low < 1.2 < figures.ratio.high


def test_after_the_pilot_no_time_goes_to_an_arm_that_is_decided():
    factors = np.exp(np.random.default_rng(0).normal(0, 0.1, 6)).tolist()
    arms = {**SPEC.arms, "steady": Arm("steady")}
    done, _ = measured(launches=3, most=6, factors=factors, arms=arms)
    counts = {arm: len(costs) for arm, costs in done.costs.items()}
    assert counts == {"base": 6, "canary": 6, "mine": 6, "steady": 3}


def test_past_its_budget_a_cell_begins_no_launch_but_the_least():
    done, _ = measured(launches=5, most=9, cell_seconds=0.0)
    assert len(done.costs["mine"]) == 2
    assert done.stopped == "budget"


def test_preparing_is_no_part_of_the_budget():
    _, log = measured(launches=5, most=5, cell_seconds=0.0)
    within, _ = measured(launches=5, most=5, cell_seconds=seconds_sampled(log) * 4)
    assert len(within.costs["mine"]) == 5  # which took 4.5 seconds to prepare
    assert within.stopped != "budget"


@pytest.mark.parametrize("busy", [False, True])
@pytest.mark.parametrize("times", [1.0, 1.5, 3.0])
def test_a_budget_that_takes_the_least_is_a_bound_on_a_busy_machine_too(times, busy):
    def waited(count):
        return 0.5 if busy else 0.0

    _, least = measured(launches=2, most=2, cell_seconds=0.0, waited=waited)
    budget = times * seconds_sampled(least)
    done, log = measured(launches=2, most=8, blocks=40, cell_seconds=budget, waited=waited)
    assert done.stopped == "budget"
    assert seconds_sampled(log) <= 1.3 * budget
    assert len(done.samples["mine"]) >= 2 * 2


def seconds_sampled(log):
    """Of all arms together, by the clock that they move."""
    return sum(seconds for _, what, seconds in log if what == "seconds")


@pytest.mark.parametrize("what", ["prepare", "verify whole", "audit"])
def test_an_arm_that_fails_without_its_process_is_out_and_the_others_go_on_where_they_are(what):
    done, log = measured(trouble={(what, "mine"): ArmFailed("mine", Status.WRONG, "off")})
    assert done.failures["mine"].reason == "off"
    assert "mine" not in done.samples
    assert Counter(place for place, event, _ in log if event == "open") == Counter(range(3))
    assert len(done.samples["base"]) == 9


def test_where_a_process_dies_the_cell_begins_again_without_the_arm():
    done, log = measured(
        trouble={("sample", "mine"): ArmFailed("mine", Status.CRASHED, "SIGSEGV", died=True)}
    )
    assert done.failures["mine"].status is Status.CRASHED
    assert [index for index, what, _ in log if what == "open"] == [0, 0, 1, 2]
    assert len(done.samples["base"]) == 9


def test_probes_that_are_not_there_cost_nothing_but_the_floor():
    absent = {
        ("prepare", floor): ArmFailed(floor, Status.UNAVAILABLE, "not built") for floor in FLOORS
    }
    done, _ = measured(trouble=absent)
    assert done.floor_bytes is None
    assert len(done.samples["mine"]) == 9


def test_a_disturbed_block_is_set_aside_kept_counted_and_made_up_for():
    blocks = 6

    def disturbed_for_a_while(count):
        return 0.5 if count % 47 >= 47 - SAMPLE_ATTEMPTS else 0.0

    done, _ = measured(launches=2, most=2, blocks=blocks, waited=disturbed_for_a_while)
    aside = [block for block in done.blocks if block.set_aside]
    assert aside
    assert all(block.doubts == ("waiting",) for block in aside)
    for launch in range(2):
        assert sum(not block.doubts for block in done.blocks if block.launch == launch) == blocks
    places = {
        (sample.launch, sample.block) for sample in done.samples["mine"] if not sample.set_aside
    }
    assert len(places) == 2 * blocks


def test_a_sample_that_waited_for_a_cpu_is_kept_set_aside_and_taken_again_in_its_block():
    done, _ = measured(launches=2, most=2, waited=lambda count: 0.5 if count % 13 == 12 else 0.0)
    retaken = [sample for samples in done.samples.values() for sample in samples if sample.retaken]
    assert retaken
    assert all(sample.set_aside and sample.doubts == ("waiting",) for sample in retaken)
    assert not any(block.doubts for block in done.blocks)
    for samples in done.samples.values():
        counted = Counter(
            (sample.launch, sample.block) for sample in samples if not sample.set_aside
        )
        assert counted == Counter((launch, block) for launch in range(2) for block in range(3))


def test_a_launch_that_is_disturbed_throughout_sets_nothing_aside():
    done, _ = measured(launches=2, most=2, waited=lambda count: 0.5)
    assert all(block.doubts for block in done.blocks)
    assert not any(block.set_aside for block in done.blocks)


def test_what_the_time_went_on_adds_up():
    done, _ = measured(launches=2, most=2)
    spent = done.spent
    assert spent.preparing == pytest.approx(2 * 3 * 0.3)
    assert spent.timed == pytest.approx(
        sum(sample.seconds for samples in done.samples.values() for sample in samples)
    )
    assert spent.own == pytest.approx(spent.wall - spent.preparing - spent.timed - spent.untimed)
