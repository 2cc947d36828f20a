"""From samples to figures and flags: each doubt is raised by what it is about, and by nothing
else.
"""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from harness.records import (
    Accuracy,
    BlockConditions,
    Bytes,
    Cost,
    Flag,
    Protocol,
    QuantityError,
    Seconds,
    Status,
    StopReason,
    TimedSample,
    TimeSpent,
    Verdict,
)
from harness.timing.arm_failure import ArmFailed
from harness.timing.cell_spec import CellMeasurement, CellSpec
from harness.timing.clock_agreement import log_device_times, log_slopes
from harness.timing.figures import figures_of
from harness.timing.messages import CellSetup
from implementations.interface import Phase, Problem

SETUP = CellSetup(Problem((2, 2)), Phase.TRAINING_STEP, "layer", "fresh", "cpu", 0, "normal")
SPEC = CellSpec(SETUP, {}, "base", "canary", Protocol(2, 4, 4, 4), alpha=0.05, margin=0.03)
JITTER = (1.001, 0.999, 1.0005, 0.9995)


def sampled(seconds, *, once=0.0, launches=4, device=None, drift=1.0, wander=1.0):
    """Samples of an arm whose call lasts ``seconds``, with what each sample costs ``once``;
    launches drift, and blocks wander.
    """
    return [
        TimedSample(
            launch=launch,
            block=block,
            calls=calls,
            seconds=(calls * seconds + once) * JITTER[launch] * drift**launch * wander**block,
            waited=0.0,
            preempted=1,
            device_seconds=device and calls * device,
        )
        for launch in range(launches)
        for block, calls in enumerate((10, 20, 10, 20))
    ]


def measured(*, doubts=(), set_aside=False, unsteady=0, **samples):
    given = {name.replace("floor", "floor/ordinary"): value for name, value in samples.items()}
    samples = {
        "base": sampled(1e-3),
        "canary": sampled(1e-3),
        "mine": sampled(1.5e-3),
        "floor/ordinary": sampled(5e-4),
        **given,
    }
    launches = [launch for launch in range(4) for _ in range(4)]
    return CellMeasurement(
        samples=samples,
        costs={name: [Cost()] * 4 for name in samples},
        steady={name: [False] * unsteady + [True] * (4 - unsteady) for name in samples},
        blocks=[BlockConditions(launch, tuple(doubts), set_aside) for launch in launches],
        floor_bytes=Bytes(1000),
        stopped=StopReason.PRECISION,
        spent=TimeSpent(wall=Seconds(1.0)),
    )


def test_an_arm_that_takes_half_as_long_again_is_slower_and_three_times_above_its_floor():
    figures, flags = figures_of(SPEC, measured(), "mine")
    assert flags == ()
    assert figures.verdict is Verdict.SLOWER
    assert figures.ratio.estimate == pytest.approx(1.5)
    assert figures.floor.ratio.estimate == pytest.approx(3.0)
    assert figures.p_value < 0.05
    assert 0.03 < figures.minimum_detectable_effect < 0.05


FLAGGED = {
    Flag.DISTURBED: [
        measured(doubts=["steal"]),
        measured(canary=sampled(1.1e-3)),
        measured(floor=sampled(5e-4, wander=1.2)),
    ],
    Flag.UNSTEADY: [measured(unsteady=3)],
    Flag.IMPLAUSIBLE: [measured(mine=sampled(3e-4))],
    Flag.CLOCKS_DISAGREE: [
        measured(mine=sampled(1.5e-3, once=5e-3)),
        measured(mine=sampled(1.5e-3, device=1e-3)),
    ],
}


@pytest.mark.parametrize("flag", FLAGGED)
def test_a_doubt_is_flagged_and_forbids_the_verdict_but_not_the_number(flag):
    for found in FLAGGED[flag]:
        figures, flags = figures_of(SPEC, found, "mine")
        assert flags == (flag,)
        assert figures.verdict is None
        assert figures.ratio is not None


def accurate(error):
    """Measured, with this error of the worst quantity of "mine"."""
    found = measured()
    found.accuracy["mine"] = Accuracy(
        2,
        {
            "output": QuantityError(error / 10, error, 1.0, 1.0),
            "grad_bias": QuantityError(error, 10 * error, 1.0, 1.0),
        },
    )
    return found


def test_beyond_the_bound_that_was_asked_an_arm_is_inaccurate_and_has_no_verdict():
    bounded = replace(SPEC, accuracy=1e-5)
    figures, flags = figures_of(bounded, accurate(2e-5), "mine")
    assert flags == (Flag.INACCURATE,)
    assert figures.verdict is None
    assert figures.ratio.estimate == pytest.approx(1.5)
    assert figures.accuracy.worst == 2e-5
    assert figures.accuracy.worst_quantity == "grad_bias"


@pytest.mark.parametrize(("bound", "error"), [(1e-5, 1e-5), (1e-5, 1e-7), (None, 1.0)])
def test_within_the_bound_or_without_one_nothing_is_inaccurate(bound, error):
    figures, flags = figures_of(replace(SPEC, accuracy=bound), accurate(error), "mine")
    assert flags == ()
    assert figures.verdict is Verdict.SLOWER


def test_an_arm_without_errors_is_not_accused_and_its_baselines_error_is_not_its_own():
    bounded, found = replace(SPEC, accuracy=1e-9), measured()
    assert figures_of(bounded, found, "mine")[1] == ()
    found.accuracy["base"] = accurate(1e-3).accuracy["mine"]
    assert figures_of(bounded, found, "mine")[1] == ()
    assert figures_of(bounded, found, "base")[1] == (Flag.INACCURATE,)


def test_disturbed_blocks_that_were_set_aside_raise_no_flag_and_are_counted():
    figures, flags = figures_of(SPEC, measured(doubts=["steal"], set_aside=True), "mine")
    assert flags == ()
    assert figures.conditions.set_aside == 16
    assert figures.conditions.doubts == {"steal": 16}
    assert figures.conditions.preempted == 64


def test_a_floor_that_drifts_from_launch_to_launch_is_told_and_no_cause_for_doubt():
    figures, flags = figures_of(SPEC, measured(floor=sampled(5e-4, drift=1.2)), "mine")
    assert flags == ()
    assert figures.floor.drift == pytest.approx(1.2**3, rel=0.01)
    assert figures.floor.wander == pytest.approx(1.0)


def test_an_arm_just_above_the_part_of_the_floor_that_physics_leaves_is_plausible():
    assert figures_of(SPEC, measured(mine=sampled(0.76 * 5e-4)), "mine")[1] == ()
    assert figures_of(SPEC, measured(mine=sampled(0.74 * 5e-4)), "mine")[1] == (Flag.IMPLAUSIBLE,)


def test_an_interval_that_reaches_above_the_floor_accuses_nobody_however_low_its_estimate():
    figures, flags = figures_of(SPEC, measured(mine=sampled(1e-6, drift=30.0)), "mine")
    assert figures.floor.ratio.estimate < 0.75
    assert figures.floor.ratio.high > 100
    assert flags == ()


def test_one_launch_which_gives_no_interval_accuses_nobody():
    samples = {
        name: sampled(seconds, launches=1)
        for name, seconds in (("base", 1e-3), ("canary", 1e-3), ("mine", 3e-4), ("floor", 5e-4))
    }
    figures, flags = figures_of(SPEC, measured(**samples), "mine")
    assert figures.floor.ratio is None
    assert flags == ()
    assert figures.verdict is None


def test_the_quicker_of_the_floors_is_the_floor():
    found = measured()
    found.samples["floor/streaming"] = sampled(4e-4)
    floor = figures_of(SPEC, found, "mine")[0].floor
    assert (floor.stores, floor.ratio.estimate) == ("streaming", pytest.approx(3.75))


def test_without_probes_the_floor_is_absent_with_the_reason():
    found = measured()
    del found.samples["floor/ordinary"]
    found.failures["floor/ordinary"] = ArmFailed("floor/ordinary", Status.UNAVAILABLE, "not built")
    figures, flags = figures_of(SPEC, found, "mine")
    assert (figures.floor, figures.floor_absent, flags) == (None, "not built", ())


def test_where_the_baseline_fell_there_is_no_ratio_and_the_reason_is_told():
    found = measured()
    found.failures["base"] = ArmFailed("base", Status.CRASHED, "SIGSEGV")
    figures, _ = figures_of(SPEC, found, "mine")
    assert figures.ratio is None
    assert "base is CRASHED" in figures.ratio_absent
    assert figures.median_seconds == pytest.approx(1.5e-3, rel=0.01)


def test_the_baselines_record_keeps_what_happened_around_every_block():
    assert len(figures_of(SPEC, measured(), "base")[0].around_blocks) == 16
    assert figures_of(SPEC, measured(), "mine")[0].around_blocks is None


def test_the_slope_is_free_of_what_a_sample_costs_once():
    assert log_slopes(sampled(1e-3)) == pytest.approx([0.0] * 4, abs=1e-9)
    for slope in log_slopes(sampled(1e-3, once=5e-3)):
        assert slope == pytest.approx(math.log(1 / 1.375), abs=0.01)


def test_a_launch_with_one_number_of_calls_has_no_slope():
    assert log_slopes([sample for sample in sampled(1e-3) if sample.calls == 10]) == []


def test_a_cpu_has_no_clock_of_its_own():
    assert log_device_times(sampled(1e-3)) == []
    assert len(log_device_times(sampled(1e-3, device=1e-3))) == 4
