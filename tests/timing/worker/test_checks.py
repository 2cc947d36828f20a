"""In the worker: an arm's errors come with its check, over the channels that it looked at."""

from __future__ import annotations

import pytest

from harness.timing.messages import CellSetup, CheckResult
from harness.timing.worker import checks, setup
from harness.timing.worker.state import WorkerState
from implementations.interface import Phase, Problem
from implementations.registry import Specification

PROBLEM = Problem((2, 20, 3, 3), activation="relu")
ARM = "an arm"


def verified(
    implementation: Specification, *, whole: bool = True, sets: int = 1, problem: Problem = PROBLEM
) -> CheckResult:
    state = WorkerState()
    state.open(CellSetup(problem, Phase.TRAINING_STEP, "layer", "fresh", "cpu", 0, "normal", sets))
    setup.prepare(state, arm=ARM, implementation=implementation)
    return checks.verify(state, arm=ARM, whole=whole)


@pytest.mark.parametrize(("whole", "channels"), [(True, 20), (False, checks.SAMPLED_CHANNELS)])
def test_errors_are_over_the_channels_that_were_compared(whole: bool, channels: int) -> None:
    accuracy = verified("numpy", whole=whole).accuracy
    assert accuracy is not None
    assert accuracy.channels == channels
    assert accuracy.worst is not None
    assert 0 < accuracy.worst < 1e-6


@pytest.mark.parametrize(("most", "channels"), [(1, 2), (60, 3), (10**6, 8)])
def test_of_large_channels_fewer_are_sampled(
    monkeypatch: pytest.MonkeyPatch, most: int, channels: int
) -> None:
    monkeypatch.setattr(checks, "MOST_SAMPLED", most)
    accuracy = verified("numpy", whole=False).accuracy
    assert accuracy is not None
    assert accuracy.channels == channels


def test_few_channels_are_never_sampled() -> None:
    accuracy = verified("numpy", whole=False, problem=Problem((9, 5, 3, 3))).accuracy
    assert accuracy is not None
    assert accuracy.channels == 5


def test_of_several_sets_of_arrays_the_first_tells() -> None:
    assert verified("numpy", sets=3).accuracy == verified("numpy", sets=1).accuracy


def test_an_arm_that_is_wrong_has_no_accuracy() -> None:
    wrong = verified({"_target_": "troublesome_bn.Wrong"})
    assert wrong.reason is not None
    assert wrong.accuracy is None
