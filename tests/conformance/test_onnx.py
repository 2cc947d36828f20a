"""ONNX's conventions: what the specification says here is what ONNX's own documentation works
out.
"""

from __future__ import annotations

import pytest
import torch
from plain_bn import Plugin, Recipe, moved
from wrong_bn import Wrong

from harness.conformance.cases import OnnxCase, matching
from harness.conformance.checks import check, onnx
from tests.experiments.rejections import verdict

CASES = matching("onnx/*", thorough=True)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_right_implementation_passes(case):
    findings = list(check(Plugin(), case))
    assert {finding.quantity for finding in findings} == {"Y", "running_mean", "running_var"}
    assert all(finding.passed for finding in findings)


@pytest.mark.parametrize(
    ("wrong", "case", "quantities"),
    [
        ("eps outside the root", "onnx/epsilon", {"Y"}),
        ("eps forgotten", "onnx/epsilon/training", {"Y"}),
        ("biased running variance", "onnx/example/training", {"running_var"}),
        ("swapped momentum", "onnx/example/training", {"running_mean", "running_var"}),
        ("statistics updated at inference", "onnx/example", {"running_var"}),
        ("statistics not updated", "onnx/example/training", {"running_mean", "running_var"}),
    ],
)
def test_a_wrong_one_does_not(wrong, case, quantities):
    assert verdict(Wrong(wrong), case).quantities == quantities


def test_onnx_s_own_momentum_taken_for_ours_is_wrong():
    swapped = Plugin(
        lambda: Recipe(moved=lambda running, batch, momentum: moved(running, batch, 1 - momentum))
    )
    assert verdict(swapped, "onnx/momentum/training").quantities == {"running_mean", "running_var"}


# From the specification's formulas, by hand: mean 1, variance 1, so that X̂ is -1, -1, 1, 1 for
# epsilon 0.
X = torch.tensor([0.0, 0.0, 2.0, 2.0], dtype=torch.float64).reshape(4, 1)


def by_hand(training):
    one = torch.ones(1, dtype=torch.float64)
    case = OnnxCase("onnx/by_hand", (4, 1), training=training, momentum=0.75, eps=0.0)
    return [
        value.flatten().tolist()
        for value in onnx.specified(case, X, 2 * one, one, 3 * one, 4 * one)
    ]


def test_the_specification_in_training_by_hand():
    assert by_hand(True) == [[-1, -1, 3, 3], [3 * 0.75 + 1 * 0.25], [4 * 0.75 + 1 * 0.25]]


def test_the_specification_at_inference_by_hand():
    assert by_hand(False) == [[-2, -2, 0, 0], [3], [4]]
