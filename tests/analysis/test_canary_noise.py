"""The baseline against itself shows how noisy a section's ratios are."""

from __future__ import annotations

from harness.analysis.canary_noise import CanaryNoise, canary_noise
from harness.analysis.sections import sections
from tests.helpers.synthetic import BASELINE, SHAPES, cell, throughput


def test_a_canary_beyond_the_margin_is_named() -> None:
    records = [
        *throughput(cell(SHAPES[0]), {BASELINE: 1.0, "canary": 1.0}),
        *throughput(cell(SHAPES[1]), {BASELINE: 1.0, "canary": 1.2}),
        *throughput(cell(SHAPES[2]), {BASELINE: 1.0}),
    ]
    [section] = sections(records)
    assert canary_noise(section) == CanaryNoise(2, 1, 1, ("32×64×56×56",))
