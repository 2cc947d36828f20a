"""What is kept for the implementations that follow is what would be computed for each of them."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from harness.conformance import exact_results
from harness.conformance.exact_results import ExactResults
from harness.problems.inputs import make_arrays
from implementations import oracle
from implementations.interface import Phase, Problem

PROBLEM = Problem((4, 6, 5, 3), activation="relu", residual=True)
PHASE = Phase.TRAINING_STEP
CHANNELS = range(6)


@pytest.fixture
def evaluated(monkeypatch):
    """The masks that the oracle was asked with."""
    masks, evaluate = [], oracle.evaluate

    def noted(*arguments, mask, **keywords):
        masks.append(mask)
        return evaluate(*arguments, mask=mask, **keywords)

    monkeypatch.setattr(oracle, "evaluate", noted)
    return masks


def same(one, other):
    names = [field.name for field in fields(one)]
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


def test_the_oracle_is_asked_once_for_all_who_have_the_exact_mask(evaluated):
    exact = ExactResults(PROBLEM, PHASE, make_arrays(PROBLEM, 0), keeps=True)
    first, _ = exact.of(CHANNELS, None)
    assert exact.of(CHANNELS, first.output > 0)[0] is first
    assert exact.of(CHANNELS, None)[0] is first
    assert len(evaluated) == 1


def test_who_has_another_mask_gets_the_gradients_that_belong_to_it(evaluated):
    arrays = make_arrays(PROBLEM, 0)
    exact = ExactResults(PROBLEM, PHASE, arrays, keeps=True)
    kept, _ = exact.of(CHANNELS, None)
    mask = kept.output > 0
    mask[0, 0] ^= True
    own, allowed = exact.of(CHANNELS, mask)
    alone, tolerances = ExactResults(PROBLEM, PHASE, arrays).of(CHANNELS, mask)
    assert same(own, alone)
    assert same(allowed, tolerances)
    assert not np.array_equal(own.grad_input, kept.grad_input)


def test_other_channels_are_not_taken_for_those_that_are_kept():
    exact = ExactResults(PROBLEM, PHASE, make_arrays(PROBLEM, 0), keeps=True)
    every, _ = exact.of(CHANNELS, None)
    some, _ = exact.of([1, 4], None)
    assert np.array_equal(some.output, every.output[:, [1, 4]])


def test_what_is_larger_than_what_may_be_kept_is_computed_for_each(evaluated, monkeypatch):
    monkeypatch.setattr(exact_results, "MOST_KEPT", 4 * 15 * 6 - 1)
    exact = ExactResults(PROBLEM, PHASE, make_arrays(PROBLEM, 0), keeps=True)
    for _ in range(2):
        exact.of(CHANNELS, None)
    assert len(evaluated) == 2
