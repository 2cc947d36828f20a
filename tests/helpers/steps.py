"""A step of an implementation in three ways, with every check of what its functions return."""

from __future__ import annotations

from harness.problems.inputs import make_arrays
from implementations import batch_norm
from implementations.interface import Phase, Problem, call_once

PROBLEM = Problem((4, 3, 5), residual=True, bias=False)


def train(implementation):
    """A step as users take it."""
    arrays = make_arrays(PROBLEM, 0)
    input, residual, weight, bias = (
        None if operand is None else operand.requires_grad_() for operand in arrays.operands
    )
    batch_norm(
        input,
        arrays.running_mean,
        arrays.running_var,
        weight,
        bias,
        training=True,
        implementation=implementation,
        residual=residual,
    ).backward(arrays.grad_output)


def prepare(implementation, phase=Phase.TRAINING_STEP, face="kernel", outputs="fresh"):
    arrays = make_arrays(PROBLEM, 0)
    return implementation.prepare(PROBLEM, phase, face=face, outputs=outputs, arrays=arrays)


def train_kernel(implementation):
    call_once(prepare(implementation)).results()


def train_prepared_layer(implementation):
    call_once(prepare(implementation, face="layer")).results()
