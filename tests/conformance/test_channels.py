"""The design over numbers of channels: every pair of levels, and every number of channels in both
layouts under ReLU, is there.
"""

from __future__ import annotations

from itertools import combinations, product

from harness.conformance.cases.channels import CHANNELS, DESIGN, PARTS, PLANES, WAYS, Row
from implementations.interface import MEMORY_FORMATS


def test_every_pair_of_levels_of_any_two_factors_occurs():
    for one, other in combinations(range(len(Row._fields)), 2):
        levels = [{row[factor] for row in DESIGN} for factor in (one, other)]
        assert {(row[one], row[other]) for row in DESIGN} == set(product(*levels))


def test_every_level_of_every_table_is_used():
    assert {row.plane for row in DESIGN} == set(range(len(PLANES)))
    assert {row.way for row in DESIGN} == set(range(len(WAYS)))
    assert {row.parts for row in DESIGN} == set(range(len(PARTS)))


def test_channels_have_and_lack_each_fast_path():
    channels = {row.channels for row in DESIGN}
    for multiple in (4, 8, 16, 32, 64):
        assert any(count % multiple == 0 for count in channels)
        assert any(count % multiple for count in channels)
    exact = {
        max(power for power in (1, 4, 8, 16, 32, 64) if count % power == 0) for count in channels
    }
    assert exact == {1, 4, 8, 16, 32, 64}


def test_every_number_of_channels_meets_nan_under_relu_in_float32_and_both_layouts():
    found = {
        (case.problem.channels, case.problem.memory_format)
        for case in CHANNELS
        if case.problem.activation == "relu"
        and case.problem.dtype == "float32"
        and "nan" in case.refills
    }
    assert found == set(product({row.channels for row in DESIGN}, MEMORY_FORMATS))
