"""Findings from made-up measurements."""

from __future__ import annotations

from typing import Any

import pytest

from harness.doctor.measurement_findings import findings_of
from harness.doctor.noise import TIMES
from harness.records import Interval
from harness.statistics import Components
from tests.helpers.doctor import calm_noise, measured, steady_bandwidth


def test_a_calm_measurement_gets_good_findings_alone() -> None:
    found = findings_of(measured(noises=[calm_noise()], bandwidths=[steady_bandwidth()]))
    assert [(finding.subject, finding.state) for finding in found] == [
        ("noise, small call", "good"),
        ("bandwidth beyond cache", "good"),
    ]


@pytest.mark.parametrize(
    ("given", "subject", "state", "message", "remedy"),
    [
        (
            {"noises": [calm_noise(components=Components(0.01, 0.06))]},
            "noise, small call",
            "notice",
            "6.0%",
            "task.launches",
        ),
        (
            {"noises": [calm_noise(components=Components(0.4, 0.0))]},
            "noise, small call",
            "notice",
            "40.0%",
            "task.blocks",
        ),
        (
            {"noises": [calm_noise(components=Components(0.01, 0.4))]},
            "noise, small call",
            "bad",
            "40.0%",
            "task.launches",
        ),
        (
            {"noises": [calm_noise(components=Components(0.01, 0.06), doubts={"steal": 3})]},
            "noise, small call",
            "notice",
            "6.0%",
            "quieter",
        ),
        (
            {"noises": [calm_noise(findable=dict.fromkeys(TIMES))]},
            "noise, small call",
            "bad",
            "do not fit",
            "quieter",
        ),
        (
            {"noises": [calm_noise(doubts={"waiting": 11})]},
            "disturbances, small call",
            "bad",
            "waiting in 11 of 40",
            "stop",
        ),
        (
            {"noises": [calm_noise(ratio=Interval(1.1, 1.05, 1.15))]},
            "same code, small call",
            "bad",
            "1.10 times",
            "quieter",
        ),
        (
            {"bandwidths": [steady_bandwidth(([10e9] * 25 + [20e9] * 25) * 2)]},
            "bandwidth beyond cache",
            "notice",
            "copy 10.0 (50% of the time, 2.5 s on end) and 20.",
            "ratios within a block",
        ),
        (
            {"bandwidths": [steady_bandwidth([10e9 + index * 1e8 for index in range(100)])]},
            "bandwidth beyond cache",
            "notice",
            "drifted in 10 s: copy +",
            "settles",
        ),
        (
            {"bandwidths": [steady_bandwidth([10e9, 20e9] * 50)]},
            "bandwidth beyond cache",
            "notice",
            "scatters",
            "quieter",
        ),
        (
            {"bandwidth": "not built"},
            "bandwidth",
            "bad",
            "not measured: not built",
            "BNBENCH_NATIVE=1",
        ),
    ],
)
def test_one_fault_is_found_with_its_remedy(
    given: dict[str, Any], subject: str, state: str, message: str, remedy: str
) -> None:
    [found] = [finding for finding in findings_of(measured(**given)) if finding.state != "good"]
    assert (found.subject, found.state) == (subject, state)
    assert message in found.message
    assert remedy in (found.remedy or "")
