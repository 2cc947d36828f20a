"""Calls and modules against PyTorch: what is compared, seen through implementations that get it wrong."""

from __future__ import annotations

import pytest
import torch
from wrong_bn import Plugin

from harness.conformance import behaviour
from harness.conformance.cases import CASES, ModuleCase, named
from harness.conformance.runner import check
from implementations import BatchNorm, batch_norm


def failed(case):
    return {finding.quantity: finding.fault for finding in check(Plugin(), named(case)) if not finding.passed}


ERRORS = {
    "errors/one_value_a_channel,training": "ValueError", "errors/negative_eps": "ValueError",
    "errors/running_mean_alone,training": "ValueError", "errors/momentum_none": "TypeError",
    "errors/integers": "NotImplementedError", "errors/running_mean_of_wrong_length": "RuntimeError",
    "errors/inference_without_statistics": "RuntimeError",
}


@pytest.mark.parametrize("case", [case.name for case in CASES if case.name.startswith("errors/")])
def test_an_error_that_is_not_raised_is_told_with_the_one_that_pytorch_raises(monkeypatch, case):
    monkeypatch.setattr(behaviour, "batch_norm", lambda **keywords: torch.zeros_like(keywords["input"]))
    fault = failed(case)["exception"]
    assert "nothing is raised; PyTorch: " in fault
    assert ERRORS.get(case, "Error") in fault


def test_another_kind_of_error_is_not_enough(monkeypatch):
    def complain(*_, **__):
        raise KeyError("eps")

    monkeypatch.setattr(behaviour, "batch_norm", complain)
    assert "KeyError" in failed("errors/negative_eps")["exception"]
    assert "KeyError" in failed("samples/rank_3")["exception"]


def test_the_output_s_dtype_and_shape_are_pytorch_s(monkeypatch):
    monkeypatch.setattr(behaviour, "batch_norm", lambda **keywords: batch_norm(**keywords).double())
    assert "torch.float64" in failed("samples/rank_3")["output"]
    monkeypatch.setattr(behaviour, "batch_norm", lambda **keywords: batch_norm(**keywords)[:1])
    assert "(1, 5, 5)" in failed("samples/rank_3")["output"]


def test_a_view_is_as_it_is_called():
    x = torch.arange(360.0).reshape(4, 6, 5, 3)
    for name, view in behaviour.VIEWS.items():
        seen = view(x)
        assert seen.shape == x.shape
        assert seen.is_contiguous() == (name == "plain")
        assert torch.equal(seen, x) == (name != "expanded")


class Forgetful(BatchNorm):
    """Counts no batches."""

    def _average_factor(self, update):
        factor = super()._average_factor(update)
        self.num_batches_tracked = torch.zeros_like(self.num_batches_tracked)
        return factor


class Renamed(BatchNorm):
    """Calls a buffer by another name."""

    def __init__(self, *arguments, **keywords):
        super().__init__(*arguments, **keywords)
        self.register_buffer("extra", torch.zeros(1))

    def load_state_dict(self, state, **keywords):
        return super().load_state_dict(state, strict=False)


class Eager(BatchNorm):
    """Normalizes with the batch's statistics at inference too."""

    def forward(self, input):
        self.training = True
        return super().forward(input)


@pytest.mark.parametrize(("module", "quantity"), [
    (Forgetful, "num_batches_tracked"), (Renamed, "state_dict"), (Eager, "output")])
def test_a_module_that_departs_from_pytorch_s_is_found_out(monkeypatch, module, quantity):
    case = ModuleCase("module/any", (4, 6, 5), (True, False))
    assert not [finding for finding in check(Plugin(), case) if not finding.passed]
    monkeypatch.setattr(behaviour, "BatchNorm", module)
    found = check(Plugin(), case)
    assert quantity in {next(finding for finding in found if not finding.passed).quantity}
