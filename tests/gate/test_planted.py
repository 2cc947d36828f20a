from __future__ import annotations

import pytest

from harness.conformance.cases import matching
from harness.conformance.checks import check
from harness.conformance.compare import failure_summary
from harness.gate.planted import Slowed, repeated_batch
from implementations.interface import Problem
from implementations.registry import load

SLOWED = {"_target_": "harness.gate.planted.Slowed", "of": "torch_native", "share": 0.25}
ASKED = [case for case in matching("phases/*") if "/layer/" in case.name]


def test_it_is_right():
    """In all phases of a layer; what it does once more changes no result."""
    slowed = load(SLOWED)
    assert len(ASKED) > 3
    for case in ASKED:
        assert failure_summary(list(check(slowed, case))) is None, case.name


def test_it_does_that_share_of_the_work_once_more(monkeypatch):
    slowed, shapes = Slowed("torch_native", 0.25), []
    inner = type(slowed.inner).prepare

    def prepare(self, problem, phase, **keywords):
        shapes.append((problem.shape, tuple(keywords["arrays"].input.shape)))
        return inner(self, problem, phase, **keywords)

    monkeypatch.setattr(type(slowed.inner), "prepare", prepare)
    list(check(slowed, ASKED[0]))
    whole, part = shapes[0][0], shapes[1][0]
    assert part == (repeated_batch(Problem(whole), 0.25), *whole[1:])
    assert shapes[:2] == [(whole, whole), (part, part)]


@pytest.mark.parametrize(
    ("batch", "share", "repeated"), [(32, 0.05, 2), (32, 0.1, 4), (8, 0.01, 2), (2, 1.0, 2)]
)
def test_whole_samples_are_repeated_and_two_at_least(batch, share, repeated):
    assert repeated_batch(Problem((batch, 4, 3, 3)), share) == repeated


def test_a_share_of_nothing_is_the_implementation_alone():
    assert Slowed("torch_native").share == 0


def test_a_share_beyond_the_batch_is_refused():
    with pytest.raises(ValueError, match="from 0 to 1"):
        Slowed("torch_native", 1.5)
