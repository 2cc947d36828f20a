"""Functions that cannot be called as the contract has it are told when an adapter gets them."""

from __future__ import annotations

import re
from functools import partial, wraps

import pytest
import torch

from implementations import batch_norm
from implementations.adapters import from_differentiable, from_functions
from implementations.author_functions import described
from implementations.builtin.torch_unfused import backward, forward, layer
from implementations.interface import ContractError

OPERANDS = "input, residual, weight, bias, running_mean, running_var, options"


@pytest.mark.parametrize(
    ("make", "functions", "keywords", "words"),
    [
        (
            from_functions,
            (lambda x, w: (x, ()), backward),
            {},
            rf"^the forward .*<lambda> \(.*:\d+\) takes \(x, w\); .* with \({OPERANDS}, out\), by",
        ),
        (
            from_functions,
            (forward, lambda grad_output, saved, options: None),
            {},
            r"^the backward .*called with \(grad_output, saved, options, out\)",
        ),
        (
            from_functions,
            (lambda *operands, block: None, backward),
            {},
            r"takes \(\*operands, block\)",
        ),
        (
            from_functions,
            (forward, backward),
            {"unsupported": lambda problem: None},
            r"^the refusal .* takes \(problem\); it is called with \(problem, phase, device\)",
        ),
        (
            from_functions,
            (forward, backward),
            {"layer": lambda x: x},
            rf"^the layer .*called with \({OPERANDS}\)",
        ),
        (from_differentiable, (lambda x: x,), {}, rf"^the layer .*with \({OPERANDS}\)"),
        (
            from_functions,
            (None, backward),
            {},
            r"^the forward is None; it must be a function of \(",
        ),
        (
            from_functions,
            (forward, backward),
            {"fresh_outputs_only": {"backwards": "no"}},
            r"fresh_outputs_only names backwards; the phases are forward_training, ",
        ),
    ],
)
def test_a_function_that_takes_other_arguments_is_told_at_once(make, functions, keywords, words):
    with pytest.raises(ContractError, match=words):
        make(*functions, **keywords)


@pytest.mark.parametrize(
    "function",
    [
        lambda *operands, **keywords: None,
        partial(lambda block, *operands: None, 64),
        partial(lambda *operands, block: None, block=64),
        forward,
    ],
)
def test_a_function_that_can_be_called_so_is_taken(function):
    from_functions(function, backward)
    from_differentiable(partial(function))


@pytest.mark.parametrize("answer", [False, True, ("residual",)])
def test_a_refusal_that_gives_no_reason_is_told(answer):
    def unsupported(problem, phase, device):
        return answer

    made = from_functions(forward, backward, unsupported=unsupported)()
    words = (
        f"test_author_functions.unsupported .* returned {re.escape(repr(answer))}; it must return"
    )
    with pytest.raises(ContractError, match=words):
        batch_norm(torch.ones(4, 3), None, None, training=True, implementation=made)


def test_a_function_is_named_as_it_is_written():
    @wraps(layer)
    def decorated(*operands):
        return layer(*operands)

    for function in (layer, decorated, partial(decorated)):
        found = described(function, "layer")
        assert re.fullmatch(r"the layer torch_unfused\.layer \(torch_unfused\.py:\d+\)", found)
    assert described(torch.nn.ReLU(), "layer") == "the layer activation.ReLU"
