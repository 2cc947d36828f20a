"""Titles name what sets a cell apart, and nothing that goes without saying."""

from __future__ import annotations

import pytest

from harness.report.labels import describe, group_title
from tests.helpers.synthetic import SPEEDS, case, cell, throughput
from tests.helpers.trainings import group_of, trained, with_cell


@pytest.mark.parametrize(
    ("fields", "network"),
    [
        ({"model": "mlp", "depth": 3, "width": 100}, "mlp on"),
        ({"model": "mlp", "depth": 8, "initial_scale": 0.5}, "mlp (depth 8, initial scale 0.5) on"),
        (
            {"model": "resnet20", "memory_format": "channels_last"},
            "resnet20 (memory format channels_last) on",
        ),
    ],
)
def test_a_title_names_what_is_not_the_networks_own(fields, network):
    records = [with_cell(record, **fields) for record in trained()]
    assert group_title(group_of(records)).startswith(network)


def test_a_record_of_each_task_is_described_in_one_line():
    timed = throughput(cell(threads=1), SPEEDS)[0]
    assert describe(timed) == (
        "32×64×112×112 float32 relu, training step, layer, fresh outputs, warm cache, cpu, 1 thread"
    )
    assert describe(trained()[1]) == "mlp on digits, sgd at 0.1, batch 64, seed 1"
    assert describe(case("numpy", "data/nan")) == "data/nan, cpu, 2 threads"
