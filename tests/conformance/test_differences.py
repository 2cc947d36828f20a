"""Gradients against differences: both methods see a wrong gradient, whatever the outputs are, and
ask nobody else.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from plain_bn import Plugin, Recipe
from troublesome_bn import Native, Refusing
from wrong_bn import Wrong

from harness.conformance.cases import DifferencesCase, matching, named
from harness.conformance.checks import check, differences
from harness.problems.inputs import make_arrays
from implementations import Unsupported, oracle
from implementations.interface import Phase, Problem
from tests.experiments.rejections import verdict

CASES = [
    case for case in matching("gradients/*", thorough=True) if isinstance(case, DifferencesCase)
]
WRONG = (
    "gradient of the sum",
    "no gradient through the mean",
    "no gradient through the variance",
    "n - 1 in the input's gradient",
    "weight forgotten in the input's gradient",
    "weight's gradient with the neighbour's values",
    "training's gradient by the formula of frozen statistics",
)
RELU = ("mask missing in backward", "mask shifted in backward")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_right_gradient_passes(case):
    assert verdict(Plugin(), case.name) is None


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize(
    "case", ["gradients/gradcheck", "gradients/directions/layer", "gradients/directions/kernel"]
)
def test_both_methods_see_a_wrong_gradient(case, wrong):
    assert verdict(Wrong(wrong), case) is not None


@pytest.mark.parametrize("wrong", RELU)
@pytest.mark.parametrize("case", ["gradients/gradcheck/relu", "gradients/directions/layer"])
def test_they_see_a_wrong_mask(case, wrong):
    assert verdict(Wrong(wrong), case) is not None


@pytest.mark.parametrize("case", ["gradients/gradcheck/frozen", "gradients/directions/frozen"])
def test_they_see_a_wrong_gradient_of_frozen_statistics(case):
    assert verdict(Wrong("frozen statistics' gradient by training's formula"), case) is not None


@pytest.mark.parametrize("operand", ["residual", "weight", "bias"])
@pytest.mark.parametrize("case", ["gradients/gradcheck", "gradients/directions/kernel"])
def test_every_operand_is_moved(case, operand):
    twice = Plugin(
        lambda: Recipe(
            gradients=lambda made, gradient, saved: made._replace(
                **{operand: None if getattr(made, operand) is None else 2 * getattr(made, operand)}
            )
        )
    )
    found = verdict(twice, case)
    assert found is not None
    if case == "gradients/gradcheck":
        assert (
            f"with respect to input {['input', 'residual', 'weight', 'bias'].index(operand)}"
            in found.reason
        )


class Doubled(Native):
    """Wrong outputs, rightly differentiated."""

    def layer(self, problem):
        layer = super().layer(problem)
        return lambda *operands: 2 * layer(*operands)


class Constant(torch.autograd.Function):
    """A gradient whose own gradient is lost in silence, as it is in a function that is
    differentiable once.
    """

    @staticmethod
    def forward(ctx, function, *operands):
        ctx.function = function
        ctx.save_for_backward(*operands)
        return function(*operands)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad_output):
        leaves = [
            operand if operand is None else operand.detach().requires_grad_()
            for operand in ctx.saved_tensors
        ]
        with torch.enable_grad():
            output = ctx.function(*leaves)
        wanted = [leaf for leaf in leaves if leaf is not None]
        found = iter(torch.autograd.grad(output, wanted, grad_output))
        return (None, *(leaf if leaf is None else next(found) for leaf in leaves))


class LostGraph(Native):
    def layer(self, problem):
        layer = super().layer(problem)
        return lambda *operands: Constant.apply(
            lambda *four: layer(*four, *operands[4:]), *operands[:4]
        )


class HalvedGraph(Native):
    """The gradient is right, and half of its own gradient is lost."""

    def layer(self, problem):
        whole, lost = super().layer(problem), LostGraph().layer(problem)
        return lambda *operands: (whole(*operands) + lost(*operands)) / 2


@pytest.mark.parametrize(
    ("wrong", "reason"), [(LostGraph, "has no graph, and raises no error"), (HalvedGraph, "")]
)
def test_a_gradient_penalty_that_loses_its_gradient_is_seen(wrong, reason):
    assert verdict(wrong(), "gradients/gradcheck") is None
    found = verdict(wrong(), "gradients/penalty")
    assert found is not None
    assert reason in found.reason


def test_neither_oracle_nor_pytorch_is_asked_what_the_outputs_should_be():
    assert verdict(Doubled(), "gradients/gradcheck") is None
    assert verdict(Doubled(), "samples/rank_3").quantities >= {"output", "input.grad"}


@pytest.mark.parametrize("factor", [1 + 1e-5, 1 - 1e-5])
def test_a_hundred_thousandth_is_seen_along_a_direction(factor):
    slightly = Plugin(
        lambda: Recipe(
            gradients=lambda made, gradient, saved: made._replace(input=made.input * factor)
        )
    )
    assert verdict(slightly, "gradients/directions/kernel") is not None


def test_no_z_is_so_near_to_the_kink_that_a_step_would_cross_it():
    case = named("gradients/directions/layer")
    assert isinstance(case, DifferencesCase)
    problem = case.problem
    arrays = differences.clear_of_the_kink(problem, Phase.TRAINING_STEP, "cpu")
    assert (
        abs(oracle.evaluate(problem, Phase.TRAINING_STEP, arrays).z).min() > differences.CLEARANCE
    )
    first = make_arrays(problem, 0)
    if abs(oracle.evaluate(problem, Phase.TRAINING_STEP, first).z).min() <= differences.CLEARANCE:
        assert not torch.equal(arrays.input, first.input)


def test_among_too_many_z_some_are_always_near(monkeypatch):
    monkeypatch.setattr(differences, "CLEARANCE", 100.0)
    with pytest.raises(ValueError, match="is too large"):
        differences.clear_of_the_kink(Problem((3, 2), "float64"), Phase.TRAINING_STEP, "cpu")


def test_a_step_moves_every_operand_and_leaves_the_arrays_as_they_are():
    arrays = make_arrays(Problem((4, 3), "float64", residual=True), 0)
    before = replace(arrays, input=arrays.input.clone())
    moved = differences.along(
        arrays, {"input": torch.ones_like(arrays.input), "bias": torch.ones_like(arrays.bias)}, 0.5
    )
    assert torch.equal(moved.input, arrays.input + 0.5)
    assert torch.equal(moved.bias, arrays.bias + 0.5)
    assert torch.equal(moved.weight, arrays.weight)
    assert torch.equal(arrays.input, before.input)


def test_a_refusal_is_told():
    with pytest.raises(Unsupported, match="it is Sunday"):
        list(check(Refusing(), named("gradients/gradcheck")))
