"""Work skipped in some calls is found by a single call; honest work is not accused."""

from __future__ import annotations

import lying_bn
import pytest

from harness.problems.inputs import make_arrays
from harness.timing.worker.skipped_calls import find_skipped_call
from harness.timing.worker.stale_results import find_stale_results
from harness.timing.worker.state import PreparedArm
from harness.timing.worker.timed_loop import break_off
from implementations import Unsupported, registry
from implementations.interface import Phase, Problem

RESIDUAL = Problem((6, 5, 4, 4), activation="relu", residual=True)
PLACES = [(phase, face) for phase in Phase for face in ("layer", "kernel")]
BETWEEN = 3  # calls after one at which `EachEighth` works


def prepared_on(implementation, phase, face, arrays, outputs="fresh"):
    prepared = implementation.prepare(RESIDUAL, phase, face=face, outputs=outputs, arrays=arrays)
    prepared.arm(1)
    prepared()
    return prepared


def broken_off_after(prepared, calls):
    def broken_off(act):
        prepared.arm(calls + 5)
        for _ in range(calls):
            prepared()
        act()
        prepared()
        prepared.synchronize()

    return broken_off


@pytest.mark.parametrize(("phase", "face"), PLACES)
def test_who_works_in_one_call_of_eight_passes_the_audit_and_not_a_single_call(phase, face):
    arrays = make_arrays(RESIDUAL, 3)
    prepared = prepared_on(lying_bn.EachEighth(), phase, face, arrays)
    reason = find_skipped_call(
        broken_off_after(prepared, BETWEEN), prepared, RESIDUAL, phase, arrays, channels=None
    )
    assert reason.startswith("it does not work in each call: one within a sample left ")


def test_it_is_the_single_call_that_finds_it():
    arrays = make_arrays(RESIDUAL, 3)
    prepared = prepared_on(lying_bn.EachEighth(), Phase.INFERENCE, "kernel", arrays)

    def sample(calls):
        prepared.arm(8 * calls)
        for _ in range(8 * calls):
            prepared()

    assert (
        find_stale_results(
            sample,
            prepared,
            RESIDUAL,
            Phase.INFERENCE,
            arrays,
            calls=4,
            channels=None,
            shares_memory=True,
        )
        is None
    )


@pytest.mark.parametrize("name", ["numpy", "torch_native", "torch_unfused", "torch_compile"])
@pytest.mark.parametrize("outputs", ["fresh", "reused"])
@pytest.mark.parametrize(("phase", "face"), PLACES)
def test_an_honest_one_works_in_each_call_and_its_inputs_come_back(name, phase, face, outputs):
    arrays, untouched = make_arrays(RESIDUAL, 3), make_arrays(RESIDUAL, 3)
    try:
        prepared = prepared_on(registry.load(name), phase, face, arrays, outputs)
    except Unsupported as reason:
        pytest.skip(str(reason))
    arm = PreparedArm([prepared])
    assert (
        find_skipped_call(
            lambda act: break_off(arm, 4, act), prepared, RESIDUAL, phase, arrays, channels=[0, 3]
        )
        is None
    )
    assert all(
        getattr(arrays, operand).equal(getattr(untouched, operand))
        for operand in ("input", "grad_output", "residual")
    )
