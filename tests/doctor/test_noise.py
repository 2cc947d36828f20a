"""The noise of a cell, from its samples."""

from __future__ import annotations

from math import log

import pytest

from harness.doctor.noise import cost_of, noise, situations, training_step
from harness.isolation import WorkerSettings
from harness.records import BlockConditions, Doubt, Seconds, TimedSample, TimeSpent
from harness.statistics import block_log_ratios
from harness.timing.cell_spec import CellMeasurement


def sample(
    launch: int, block: int, seconds: float, *, calls: int = 1, set_aside: bool = False
) -> TimedSample:
    return TimedSample(
        launch, block, calls, Seconds(seconds), untimed=Seconds(0.5), set_aside=set_aside
    )


def measured_twice() -> CellMeasurement:
    """Two launches of three blocks, one set aside; the canary takes 10 % more in the second
    launch.
    """
    places = [(launch, block) for launch in range(2) for block in range(3)]
    samples = {
        "torch_native": [
            sample(*place, seconds=1.0, set_aside=place == (0, 1)) for place in places
        ],
        "canary": [
            sample(
                launch,
                block,
                seconds=2.0 + 0.2 * launch,
                calls=2,
                set_aside=(launch, block) == (0, 1),
            )
            for launch, block in places
        ],
    }
    blocks = [
        BlockConditions(launch, doubts=(Doubt.WAITING,) if (launch, block) == (0, 1) else ())
        for launch, block in places
    ]
    spent = TimeSpent(wall=Seconds(30.0), starting=Seconds(4.0))
    return CellMeasurement(samples=samples, blocks=blocks, spent=spent)


def test_log_ratios_are_of_a_call_by_launch_and_leave_out_what_is_set_aside() -> None:
    first, second = block_log_ratios(measured_twice().samples, "canary", "torch_native")
    assert first == pytest.approx([0.0, 0.0])
    assert second == pytest.approx([log(1.1)] * 3)


def test_a_comparison_costs_the_canary_the_baseline_and_one_arm_more() -> None:
    cost = cost_of("torch_native", measured_twice(), 2, None)
    in_blocks = 6 * (1.0 + 0.5) + 3 * (2.0 + 0.5) + 3 * (2.2 + 0.5)
    assert cost.start == pytest.approx(2.0)
    assert cost.block == pytest.approx((in_blocks + 6 * 1.5) / 6)
    assert cost.launch == pytest.approx((30.0 - 4.0 - in_blocks) / 2 * 1.5)
    assert cost_of("torch_native", measured_twice(), 2, 7.0).start == 7.0


def test_the_noise_of_a_cell_is_that_of_its_log_ratios() -> None:
    problem = situations(1)["small call"]
    spec = training_step(problem, WorkerSettings(1), 2, 1.0)
    found = noise("small call", problem, spec, measured_twice(), None)
    assert found.components.within == pytest.approx(0.0, abs=1e-9)
    assert found.components.between == pytest.approx(log(1.1) / 2**0.5)
    assert (found.launches, found.blocks, found.all_blocks, found.doubts) == (
        2,
        5,
        6,
        {"waiting": 1},
    )
    assert found.findable[10.0] is None
    assert found.findable[600.0] is not None


def test_the_largest_problem_outgrows_the_caches_and_the_middle_one_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = situations(2)
    arrays = {name: 4 * 4 * problem.size for name, problem in found.items()}
    assert arrays["small call"] < arrays["in cache"] < arrays["beyond cache"]
    monkeypatch.setattr("harness.doctor.noise.cache_bytes", lambda *_: 64 << 20)
    assert 128 << 20 <= 4 * 4 * situations(2)["beyond cache"].size < 256 << 20
