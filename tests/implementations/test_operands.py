"""What goes into a call beside the arrays."""

from __future__ import annotations

from itertools import product

import torch

from harness.problems.inputs import make_arrays
from implementations import BatchNorm
from implementations.adapters import from_functions
from implementations.builtin import torch_unfused
from implementations.interface import Phase, Problem, call_once

PROBLEM = Problem((4, 3, 5, 6), activation="relu", residual=True)


def prepared(make, phase=Phase.TRAINING_STEP, face="kernel", outputs="fresh"):
    arrays = make_arrays(PROBLEM, 0)
    return make().prepare(PROBLEM, phase, face=face, outputs=outputs, arrays=arrays)


def test_a_forward_is_told_whether_a_backward_may_follow():
    told = []

    def forward(*operands):
        told.append(operands[6].backward_follows)
        return torch_unfused.forward(*operands)

    make = from_functions(forward, torch_unfused.backward)
    for phase, face in product(Phase, ("layer", "kernel")):
        call_once(prepared(make, phase, face))
        assert told.pop() == (phase is not Phase.INFERENCE)
    x, module = torch.ones(4, 3), BatchNorm(3, implementation=make())
    frozen = BatchNorm(3, implementation=make()).requires_grad_(False)
    with torch.no_grad():
        module(x)
    module(x), module.eval()(x), frozen(x), frozen(x.clone().requires_grad_())
    assert told[-5:] == [False, True, True, False, True]
