"""What an author's function returns against the contract is told by the function's name and in the
contract's words, by the layer and by the kernel alike.
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from implementations import batch_norm
from implementations.adapters import from_functions
from implementations.builtin import numpy_vectorized, torch_unfused
from implementations.interface import ContractError, Phase, call_once
from tests.helpers.steps import prepare, train, train_kernel

# By what is returned instead of (output, saved), and the words that tell it.
WRONG_FORWARDS = {
    "the output alone": (
        lambda x, output, saved: output,
        "returned a Tensor alone; it must return (output, saved)",
    ),
    "three values": (
        lambda x, output, saved: (output, *saved[:2]),
        "returned 3 values; it must return (output, saved)",
    ),
    "one array saved without a tuple": (
        lambda x, output, saved: (output, saved[0]),
        "returned a Tensor as what it saves; it must be a tuple",
    ),
    "a number for the output": (
        lambda x, output, saved: (1.5, saved),
        "returned a float as the output; it must be an array",
    ),
    "another shape": (
        lambda x, output, saved: (output[:, :, 0], saved),
        "returned float32 (4, 3) as the output; it must have the shape and dtype of the input: f",
    ),
    "another dtype": (
        lambda x, output, saved: (output.double(), saved),
        "returned float64 (4, 3, 5) as the output",
    ),
    "the input itself": (
        lambda x, output, saved: (x.view_as(x), saved),
        "returned the memory of the input as the output; it must return an array of its own",
    ),
}
WRONG_BACKWARDS = {
    "three gradients": (
        lambda made: made[:3],
        "returned 3 values; it must return Gradients(input, residual, weight, bias)",
    ),
    "the input's gradient alone": (lambda made: made.input, "returned a Tensor alone"),
    "no gradient of the weight": (
        lambda made: made._replace(weight=None),
        "returned None as the gradient of the weight; it must be an array",
    ),
    "a number for a gradient": (
        lambda made: made._replace(weight=0.0),
        "returned a float as the gradient of the weight",
    ),
    "a gradient of an absent operand": (
        lambda made: made._replace(bias=torch.zeros(3)),
        "returned a gradient of the bias, which is absent; it must return None there",
    ),
    "a gradient of another shape": (
        lambda made: made._replace(weight=made.weight[:, None]),
        "returned float32 (3, 1) as the gradient of the weight; it must have the shape and dtype",
    ),
    "a gradient of another dtype": (
        lambda made: made._replace(input=made.input.double()),
        "returned float64 (4, 3, 5) as the gradient of the input",
    ),
}


def functions_with_wrong_forward(change):
    def forward(input, *others, **keywords):
        return change(input, *torch_unfused.forward(input, *others, **keywords))

    return from_functions(forward, torch_unfused.backward)()


def functions_with_wrong_backward(change):
    def backward(*arguments, **keywords):
        return change(torch_unfused.backward(*arguments, **keywords))

    return from_functions(torch_unfused.forward, backward)()


@pytest.mark.parametrize("call", [train, train_kernel])
@pytest.mark.parametrize(("change", "words"), WRONG_FORWARDS.values(), ids=WRONG_FORWARDS.keys())
def test_a_wrong_value_of_a_forward_is_told_with_its_name(change, words, call):
    name = r"^the forward test_returned_values\.forward \(test_returned_values\.py:\d+\) "
    with pytest.raises(ContractError, match=name + re.escape(words)):
        call(functions_with_wrong_forward(change))


@pytest.mark.parametrize("call", [train, train_kernel])
@pytest.mark.parametrize(("change", "words"), WRONG_BACKWARDS.values(), ids=WRONG_BACKWARDS.keys())
def test_a_wrong_value_of_a_backward_is_told_with_its_name(change, words, call):
    name = r"^the backward test_returned_values\.backward \(test_returned_values\.py:\d+\) "
    with pytest.raises(ContractError, match=name + re.escape(words)):
        call(functions_with_wrong_backward(change))


@pytest.mark.parametrize("scalar", [True, 0.5, (4, 3, 5)], ids=repr)
def test_what_is_no_array_cannot_be_saved_and_its_place_is_told(scalar):
    wrong = functions_with_wrong_forward(lambda x, output, saved: (output, (*saved, scalar)))
    kind = type(scalar).__name__
    with pytest.raises(ContractError, match=rf"forward \(.*returned a {kind} as saved\[6\]"):
        train(wrong)


def test_a_scalar_of_another_library_cannot_be_saved_either():
    def forward(*operands, **keywords):
        output, saved = numpy_vectorized.forward(*operands, **keywords)
        return output, (*saved, np.float64(0.5))

    wrong = from_functions(forward, numpy_vectorized.backward, bridge=numpy_vectorized.NUMPY)()
    with pytest.raises(ContractError, match=r"returned a float64 as saved\[6\].*TypeError"):
        train(wrong)


def test_a_gradient_that_is_not_in_the_given_array_is_told():
    def backward(grad_output, saved, options, out=None):
        return torch_unfused.backward(grad_output, saved, options)

    wrong = from_functions(torch_unfused.forward, backward)()
    with pytest.raises(ContractError, match=r"forward torch_unfused.*another, as the output"):
        call_once(prepare(wrong, Phase.INFERENCE, outputs="reused")).results()


def test_autograd_is_not_asked_what_is_right_without_a_backward():
    """Where none can follow, what a forward saves is nobody's."""
    wrong = functions_with_wrong_forward(lambda x, output, saved: (output, ()))
    with torch.no_grad():
        batch_norm(torch.ones(4, 3), None, None, training=True, implementation=wrong)


class TestImmutableArrays:
    """A library whose arrays cannot be changed returns the new running statistics."""

    BRIDGE = replace(numpy_vectorized.NUMPY, immutable=True)

    def make(self, statistics):
        def forward(input, residual, weight, bias, mean, var, options, out=None):
            new = (mean.copy(), var.copy())
            made = numpy_vectorized.forward(input, residual, weight, bias, new[0], new[1], options)
            return (*made, *statistics(new))

        return from_functions(forward, numpy_vectorized.backward, bridge=self.BRIDGE)()

    @pytest.mark.parametrize(
        ("statistics", "words"),
        [
            (lambda new: (), "returned 2 values; it must return (output, saved, statistics)"),
            (lambda new: new, "returned 4 values; it must return (output, saved, statistics)"),
            (lambda new: (new[0],), "returned a ndarray alone as the new running statistics"),
            (lambda new: (new[:1],), "returned 1 value as the new running statistics"),
            (lambda new: ((0.0, new[1]),), "returned a float as the new running_mean"),
            (
                lambda new: ((new[0], new[1][:2]),),
                "returned float32 (2,) as the new running_var; it must have the shape and dtype",
            ),
        ],
    )
    @pytest.mark.parametrize("call", [train, train_kernel])
    def test_wrong_ones_are_told(self, statistics, words, call):
        with pytest.raises(ContractError, match=re.escape(words)):
            call(self.make(statistics))
