"""Each choice that the schema allows is in the table that says what it means, and no other is."""

from __future__ import annotations

from typing import get_args

import pytest

from harness.config import choices
from harness.isolation.settings import ALLOCATORS, HUGE_PAGES, WAIT_POLICIES
from harness.problems.inputs import INPUTS
from harness.training.datasets import DATASETS
from harness.training.models import MODELS
from harness.training.normalization import ACTIVATIONS
from harness.training.optimizers import OPTIMIZERS, RATES


@pytest.mark.parametrize(
    ("choice", "table"),
    [
        (choices.Allocator, ALLOCATORS),
        (choices.WaitPolicy, WAIT_POLICIES),
        (choices.HugePages, HUGE_PAGES),
        (choices.Inputs, INPUTS),
        (choices.DatasetName, DATASETS),
        (choices.Model, MODELS),
        (choices.TrainingActivation, ACTIVATIONS),
        (choices.Optimizer, OPTIMIZERS),
        (choices.Optimizer, RATES),
    ],
)
def test_a_table_has_exactly_the_choices(choice, table):
    assert set(table) == set(get_args(choice))


def test_arms_that_are_no_implementation_have_names_of_their_own():
    assert choices.ALTERNATIVES == (choices.WITHOUT, choices.GROUP, choices.LAYER, choices.GHOST)
    assert choices.WITHOUT == "none"
