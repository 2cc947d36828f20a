"""A cold cache: calls go round more arrays than the cache holds, whatever they begin with."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import harness
from harness.bandwidth import cache_bytes, traffic
from harness.config import UsageError
from harness.environment import machine
from harness.records import Status
from harness.timing.cold_cache import MOST_SETS, OUTLASTED, sets_of
from harness.timing.worker.state import PreparedArm
from implementations.interface import Phase, Prepared, Problem

PROBLEM = Problem((16, 64, 28, 28))
KEYWORDS: dict[str, Any] = {"face": "layer", "outputs": "fresh", "threads": 1}


class Counting(Prepared):
    """Knows how many calls it was armed for, and how many of them are left."""

    def __init__(self):
        self.left = 0

    def arm(self, calls):
        self.left = calls

    def __call__(self):
        self.left -= 1
        assert self.left >= 0

    def synchronize(self):
        pass

    def results(self):
        raise NotImplementedError


@given(
    sets=st.integers(1, 7),
    rounds=st.lists(st.tuples(st.integers(0, 20), st.integers(1, 20)), max_size=5),
)
def test_every_set_is_armed_for_just_the_calls_that_it_will_get(sets, rounds):
    counting = [Counting() for _ in range(sets)]
    arm = PreparedArm(counting)
    for untimed, timed in rounds:
        arm.arm(untimed + timed)
        for call in [*arm.turns(untimed), *arm.turns(timed)]:
            call()
        assert [prepared.left for prepared in counting] == [0] * sets


@given(sets=st.integers(2, 7), counts=st.lists(st.integers(1, 20), min_size=1, max_size=5))
def test_between_two_calls_on_a_set_every_other_set_is_called(sets, counts):
    arm = PreparedArm([Counting() for _ in range(sets)])
    turns = [turn for count in counts for turn in arm.turns(count)]
    for start in range(len(turns) - sets + 1):
        assert Counter(turns[start : start + sets]).most_common(1)[0][1] == 1


def test_a_warm_cell_has_one_set_and_a_cold_one_as_many_as_outlast_the_cache():
    assert sets_of(PROBLEM, Phase.TRAINING_STEP, cache="warm", **KEYWORDS) == 1
    sets = sets_of(PROBLEM, Phase.TRAINING_STEP, cache="cold", **KEYWORDS)
    available = cache_bytes(machine.processor(), 1)
    moved = traffic(
        PROBLEM, Phase.TRAINING_STEP, face="layer", outputs="fresh", cache_bytes=available
    ).bytes
    assert (sets - 1) * moved >= OUTLASTED * available > (sets - 2) * moved


def test_a_problem_too_small_for_a_cold_cache_is_refused_with_what_would_do():
    with pytest.raises(UsageError, match=rf"up to {MOST_SETS}.*task.cache=warm"):
        harness.measure(["torch_native"], [Problem((2, 2))], cache="cold", phases=["inference"])


@pytest.mark.slow
def test_a_cold_cell_and_other_inputs_are_measured_like_any_other(forked_launches):
    records = harness.measure(
        ["torch_native", "numpy"],
        [PROBLEM],
        cache="cold",
        inputs="rectified",
        threads=1,
        launches=1,
        most_launches=1,
        blocks=1,
        phases=["backward"],
    )
    assert {record.status for record in records} == {Status.OK}
    assert {(record.cell.cache, record.cell.inputs) for record in records} == {
        ("cold", "rectified")
    }
