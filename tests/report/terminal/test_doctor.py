"""A measurement in tables."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from harness.doctor.noise import TIMES
from harness.report.terminal.doctor import duration, print_measurement
from tests.helpers.doctor import calm_noise, measured, steady_bandwidth


def test_tables_show_a_measurement_and_what_could_not_be_planned() -> None:
    out = io.StringIO()
    print_measurement(
        Console(width=120, file=out),
        measured(
            noises=[calm_noise(findable=dict.fromkeys(TIMES))],
            bandwidths=[steady_bandwidth(([10e9] * 25 + [20e9] * 25) * 2)],
        ),
    )
    text = out.getvalue()
    assert "61 s with 2 threads on CPU 0, 1" in text
    assert "64×100" in text
    assert "too short" in text
    assert "2 × 2.5 s" in text


@pytest.mark.parametrize(
    ("seconds", "shown"), [(5e-5, "50 µs"), (0.0123, "12.3 ms"), (2.0, "2 s"), (3e-8, "30 ns")]
)
def test_a_duration_is_shown_in_the_unit_that_suits(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown
