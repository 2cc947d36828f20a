"""A function that autograd is to differentiate has to be that, and is told by its name where it is
not.
"""

from __future__ import annotations

import re

import pytest
import torch

from implementations import batch_norm
from implementations.adapters import from_differentiable
from implementations.builtin import torch_unfused
from implementations.interface import ContractError
from tests.helpers.steps import train, train_prepared_layer


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda x, z: (z, None), "returned a tuple as the output; it must be one array"),
        (lambda x, z: z.double(), "returned float64 (4, 3, 5) as the output"),
        (lambda x, z: z.sum(), "returned float32 () as the output"),
        (lambda x, z: x, "returned the memory of the input as the output"),
        (lambda x, z: z.detach(), "does not use input, residual, weight, as autograd sees it"),
    ],
)
@pytest.mark.parametrize("call", [train, train_prepared_layer])
def test_a_wrong_output_is_told_with_the_function_s_name(change, words, call):
    def mine(input, *others):
        return change(input, torch_unfused.layer(input, *others))

    name = r"^the layer test_differentiable\.mine \(test_differentiable\.py:\d+\) "
    with pytest.raises(ContractError, match=name + re.escape(words)):
        call(from_differentiable(mine)())


@pytest.mark.parametrize("call", [train, train_prepared_layer])
def test_an_operand_that_is_not_used_is_named(call):
    def mine(input, residual, weight, *others):
        return torch_unfused.layer(input, residual, weight.detach(), *others)

    with pytest.raises(ContractError, match=r"does not use weight, as .* from every operand"):
        call(from_differentiable(mine)())


def test_it_is_looked_for_up_to_the_operands_and_not_beyond():
    """An operand that only another operand is computed from is not used."""

    def mine(input, residual, *others):
        return torch_unfused.layer(input.detach(), residual, *others)

    weight = torch.ones(3, requires_grad=True)
    input = torch.rand(4, 3, requires_grad=True) * 2
    with pytest.raises(ContractError, match="does not use input, as"):
        batch_norm(
            input,
            None,
            None,
            weight,
            training=True,
            implementation=from_differentiable(mine)(),
            residual=input + 1,
        )
