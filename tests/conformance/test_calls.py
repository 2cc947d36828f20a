"""Calls against PyTorch's: what is compared, seen through calls that get it wrong."""

from __future__ import annotations

import pytest
import torch
from plain_bn import Plugin

from harness.conformance.cases import CASES, named
from harness.conformance.checks import calls, check, pytorch_reference
from implementations import Unavailable, Unsupported, batch_norm


def failed(case):
    return {
        finding.quantity: finding.fault
        for finding in check(Plugin(), named(case))
        if not finding.passed
    }


ERRORS = {
    "errors/one_value_a_channel/training": "ValueError",
    "errors/negative_eps": "ValueError",
    "errors/running_mean_alone/training": "ValueError",
    "errors/momentum_none": "TypeError",
    "errors/integers": "NotImplementedError",
    "errors/running_mean_of_wrong_length": "RuntimeError",
    "errors/inference_without_statistics": "RuntimeError",
}


@pytest.mark.parametrize("case", [case.name for case in CASES if case.name.startswith("errors/")])
def test_an_error_that_is_not_raised_is_told_with_the_one_that_pytorch_raises(monkeypatch, case):
    monkeypatch.setattr(calls, "batch_norm", lambda **keywords: torch.zeros_like(keywords["input"]))
    fault = failed(case)["exception"]
    assert "nothing is raised; PyTorch: " in fault
    assert ERRORS.get(case, "Error") in fault


def test_another_kind_of_error_is_not_enough(monkeypatch):
    def complain(*_, **__):
        raise KeyError("eps")

    monkeypatch.setattr(calls, "batch_norm", complain)
    assert "KeyError" in failed("errors/negative_eps")["exception"]
    assert "KeyError" in failed("samples/rank_3")["exception"]


def test_the_output_s_dtype_and_shape_are_pytorch_s(monkeypatch):
    monkeypatch.setattr(calls, "batch_norm", lambda **keywords: batch_norm(**keywords).double())
    assert "torch.float64" in failed("samples/rank_3")["output"]
    monkeypatch.setattr(calls, "batch_norm", lambda **keywords: batch_norm(**keywords)[:1])
    assert "torch.float32 (1, 5, 5)" in failed("samples/rank_3")["output"]


def test_a_view_is_as_it_is_called():
    x = torch.arange(360.0).reshape(4, 6, 5, 3)
    for name, view in calls.VIEWS.items():
        seen = view(x)
        assert seen.shape == x.shape
        assert seen.is_contiguous() == (name in {"plain", "misaligned"})
        assert torch.equal(seen, x) == (name != "expanded")
        assert bool(seen.data_ptr() % 16) == (name in {"misaligned", "cropped"})


@pytest.mark.parametrize("towards", ["expanded", "permuted", "sliced", "misaligned"])
def test_the_output_s_gradient_lies_as_its_case_says(monkeypatch, towards):
    seen = []

    def noting(**keywords):
        output = batch_norm(**keywords)
        output.register_hook(
            lambda gradient: seen.append((gradient.is_contiguous(), gradient.data_ptr() % 16))
        )
        return output

    monkeypatch.setattr(calls, "batch_norm", noting)
    assert failed(f"strided/gradient/{towards}") == {}
    assert seen
    for contiguous, misaligned in seen:
        assert contiguous == (towards == "misaligned") == bool(misaligned)


@pytest.mark.parametrize("refusal", [Unsupported, Unavailable])
def test_a_refusal_is_no_answer(refusal):
    def refuse():
        raise refusal("it is Sunday")

    with pytest.raises(refusal):
        pytorch_reference.outcome(refuse)


def test_what_fails_otherwise_is_an_answer():
    def divide():
        return 1 / 0

    assert isinstance(pytorch_reference.outcome(divide), ZeroDivisionError)


def test_a_kind_of_pytorch_s_error_will_do_and_its_parent_will_not():
    assert pytorch_reference.error(NotImplementedError(), RuntimeError()).passed
    assert not pytorch_reference.error(RuntimeError(), NotImplementedError()).passed
    assert "nothing is raised" in pytorch_reference.error(torch.zeros(1), ValueError("no")).fault
    assert (
        "PyTorch: nothing is raised"
        in pytorch_reference.error(ValueError("no"), torch.zeros(1)).fault
    )


def test_values_are_compared_to_a_part_of_their_largest():
    exact = torch.tensor([10.0, 1e-9])
    assert pytorch_reference.compared("output", exact + 9e-5, exact, exact.double(), 1e-5).passed
    assert not pytorch_reference.compared(
        "output", exact + 2e-4, exact, exact.double(), 1e-5
    ).passed
    small = exact / 1e3
    assert pytorch_reference.compared("output", small + 9e-6, small, small.double(), 1e-5).passed
    assert not pytorch_reference.compared(
        "output", small + 2e-5, small, small.double(), 1e-5
    ).passed


def test_what_is_missing_or_of_another_kind_is_told():
    like = torch.zeros(2, 3)
    assert (
        pytorch_reference.compared("grad", None, like, like, 1.0).fault
        == "is missing; PyTorch gives torch.float32 (2, 3)"
    )
    for other in (like.double(), like[:1]):
        assert (
            "PyTorch gives torch.float32 (2, 3)"
            in pytorch_reference.compared("grad", other, like, like, 1.0).fault
        )


def test_the_bound_grows_with_the_root_of_the_observations_and_the_dtype_s_roundoff():
    assert pytorch_reference.bound((4, 3, 25), torch.float32) == pytest.approx(
        10 * pytorch_reference.bound((1, 3), torch.float32)
    )
    assert pytorch_reference.bound((4, 3), torch.bfloat16) == pytest.approx(
        2**16 * pytorch_reference.bound((4, 3), torch.float32)
    )
    for shape in ((), (3,), (0, 3, 2), (2, 0, 2)):
        assert pytorch_reference.bound(shape, torch.float32) > 0
