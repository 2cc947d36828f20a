"""Faults behind refusals are found: what an implementation refuses hides nothing of what it takes,
whether it declares that as data or says so in words of its own.
"""

from __future__ import annotations

import pytest
from narrow_bn import FAULTS, Narrow

from harness.conformance.cases import matching
from harness.conformance.checks import ask
from implementations import Unsupported
from tests.experiments.rejections import verdict

REUSED = "phases/backward/kernel/reused"
STEP = "phases/training_step/layer/fresh"
FILLED = {"filled with nan, output"}
BOTH_FILLED = FILLED | {"filled with inf, output"}
AFTER_MEAN = {"grad_input", "output", "running_mean", "running_var"}
# The case that finds it, and exactly the quantities that fail there.
FOUND = {
    "inference forgets its ReLU": ("phases/inference/layer/fresh", {"output"}),
    "channels_last inference forgets the bias": ("layouts/channels_last/inference", {"output"}),
    "frozen backward ignores the ReLU": (
        "phases/backward_inference/layer/fresh",
        {"grad_input", "grad_weight", "grad_bias"},
    ),
    "a reused weight gradient is never written": (REUSED, {"grad_weight", "grad_bias"}),
    "NaN is 0 under ReLU for channels in sixteens": ("channels/16/channels_last/relu", FILLED),
    "tail channels are not normalized": (
        "phases/forward_training/layer/fresh",
        {"output", "running_mean", "running_var"},
    ),
    "the mean is of all but one value": ("channels/16/contiguous/relu", AFTER_MEAN),
    "NaN is swallowed": ("channels/21/contiguous/linear", BOTH_FILLED),
    "no gradient through the mean": (STEP, {"grad_input"}),
    "the input's gradient in one buffer": ("laws/linear_gradient", {"grad_input"}),
    "eps outside the root": ("data/variance_below_eps", {"output", "grad_input"}),
    "mask missing in the backward": (STEP, {"grad_input"}),
    "frozen gradient by training's formula": (
        "phases/backward_inference/layer/fresh",
        {"grad_input"},
    ),
    "running variance is biased": (STEP, {"running_var"}),
    "one-pass variance": (
        "data/large_mean",
        {"grad_input", "grad_weight", "output", "running_var"},
    ),
    "the residual's gradient is unmasked": (STEP, {"grad_residual"}),
    "contiguous output": (STEP, {"output"}),
    "a large plane loses its last value": ("channels/32/contiguous/linear", AFTER_MEAN),
    "NaN is 0 under ReLU": ("data/nan_in_one_channel/inference", {"output"}),
    "weight's gradient with the neighbour's values": (STEP, {"grad_input", "grad_weight"}),
    "rstd forgotten in the input's gradient": ("gradients/directions/kernel", {"the derivative"}),
    "the variance at inference is off by a thousandth": (
        "layouts/channels_last/layer/fresh",
        {"output"},
    ),
}


@pytest.mark.parametrize("in_words", [False, True], ids=["declared", "in words"])
@pytest.mark.parametrize("fault", FOUND)
def test_a_fault_behind_a_refusal_is_found(fault, in_words):
    case, quantities = FOUND[fault]
    found = verdict(Narrow(fault, in_words=in_words), case)
    assert {quantity.partition(" along")[0] for quantity in found.quantities} == quantities


def test_every_planted_fault_has_its_case():
    assert sorted(["none", *FOUND]) == sorted(FAULTS)


@pytest.mark.parametrize("pattern", ["phases/*", "gradients/*", "module/*"])
def test_what_takes_little_and_has_no_fault_passes_on_what_it_takes(pattern):
    """Of sixteens of channels, channels_last, float32 and no residual nothing passes unasked."""
    asked, implementation = 0, Narrow()
    for case in matching(pattern):
        try:
            answer = ask(implementation, case)
        except Unsupported:
            continue
        assert all(finding.passed for finding in answer.findings), case.name
        asked += 1
    assert asked >= len(matching(pattern)) - 1
