"""Gradients against differences of the implementation's own outputs, in float64: neither oracle nor
PyTorch is asked.

    φ(operands) = Σ grad_output · output                  dφ/dt along v ≈ (φ(operands + h v) -
                                                          φ(operands - h v)) / 2h

A step of h = 1e-5 leaves a truncation of h² times a third derivative, and a rounding of u / h, both
below 1e-8 of the terms. No z lies so near to ReLU's kink that a step would cross it. What takes
float32 alone is asked with a step of 1/128, which leaves both below 1e-3, and without a kink.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from math import inf
from typing import Any

import numpy as np
import torch
from torch.autograd.gradcheck import GradcheckError, gradcheck

from harness.conformance.cases import DifferencesCase
from harness.conformance.checks.layer import call, step
from harness.conformance.checks.numbers import supported
from harness.conformance.compare import QuantityCheck, worst
from harness.problems.inputs import make_arrays
from implementations import oracle
from implementations.interface import (
    Arrays,
    Gradients,
    Implementation,
    Phase,
    Problem,
    Results,
    call_once,
)

Tensor = torch.Tensor
STEP = 1e-5
TOLERANCE = 1e-7  # of the terms' size
# For float32: a step that is a number of it, and what truncation and rounding leave.
WIDE_STEP = 2.0**-7
WIDE_TOLERANCE = 1e-3
CLEARANCE = 1e-3  # of every z from 0
DIRECTIONS = 2
OPERANDS = ("input", "residual", "weight", "bias")


def check(
    implementation: Implementation, case: DifferencesCase, device: str
) -> Iterator[QuantityCheck]:
    supported(implementation, case.problem, case.phase, device)
    arrays = make_arrays(case.problem, 0, device=device)
    if case.problem.activation is not None:
        arrays = clear_of_the_kink(case.problem, case.phase, device)
    return METHODS[case.method](implementation, case, arrays)


def jacobian(
    implementation: Implementation, case: DifferencesCase, arrays: Arrays
) -> Iterator[QuantityCheck]:
    """Every element, by `torch.autograd.gradcheck`."""
    given = [getattr(arrays, name) for name in OPERANDS]
    present = [operand.detach().requires_grad_() for operand in given if operand is not None]

    def output(*operands: Tensor) -> Tensor:
        left = iter(operands)
        placed = Gradients(*(None if operand is None else next(left) for operand in given))
        return call(
            implementation,
            case.problem,
            arrays,
            placed,
            arrays.running_mean.clone(),
            arrays.running_var.clone(),
            training=case.phase.training,
        )

    try:
        gradcheck(
            # torch leaves it so
            lambda *operands: _Anew.apply(output, *operands),  # type: ignore[no-untyped-call]
            present,
            eps=STEP,
            atol=1e-8,
            rtol=TOLERANCE,
        )
    except GradcheckError as error:
        yield QuantityCheck("the Jacobian", inf, fault=" ".join(str(error).split()))
    else:
        yield QuantityCheck("the Jacobian")


class _Anew(torch.autograd.Function):
    """A function whose backward runs it again: gradcheck goes back over one graph many times, and
    compilers keep none.
    """

    @staticmethod
    def forward(ctx: Any, function: Any, *operands: Tensor) -> Tensor:
        ctx.function = function
        ctx.save_for_backward(*operands)
        output: Tensor = function(*operands)
        return output

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Any, ...]:
        leaves = [operand.detach().requires_grad_() for operand in ctx.saved_tensors]
        with torch.enable_grad():
            output = ctx.function(*leaves)
        return (None, *torch.autograd.grad(output, leaves, grad_outputs[0]))


def directions(
    implementation: Implementation, case: DifferencesCase, arrays: Arrays
) -> Iterator[QuantityCheck]:
    """All operands moved at once, along directions that are drawn."""
    gradients = left(implementation, case, case.phase, arrays)
    forward = Phase.FORWARD_TRAINING if case.phase.training else Phase.INFERENCE
    draw = np.random.Generator(np.random.PCG64(5))
    exact = case.problem.dtype == "float64"
    step, tolerance = (STEP, TOLERANCE) if exact else (WIDE_STEP, WIDE_TOLERANCE)
    for number in range(DIRECTIONS):
        moved = {
            name: torch.from_numpy(draw.standard_normal(tuple(operand.shape))).to(operand)
            for name in OPERANDS
            if (operand := getattr(arrays, name)) is not None
        }
        sides = [
            phi(
                left(implementation, case, forward, along(arrays, moved, sign * step)).output,
                arrays,
            )
            for sign in (1, -1)
        ]
        terms = torch.cat(
            [
                (getattr(gradients, f"grad_{name}") * direction).flatten()
                for name, direction in moved.items()
            ]
        )
        yield worst(
            f"the derivative along direction {number}",
            np.array([float(terms.double().sum())]),
            np.array([(sides[0] - sides[1]) / (2 * step)]),
            tolerance * float(terms.double().abs().sum()),
            torch.float64,
        )


def penalty(
    implementation: Implementation, case: DifferencesCase, arrays: Arrays
) -> Iterator[QuantityCheck]:
    """The gradient of ½ Σ (dφ/dinput)², along a direction. An error that refuses it is as right:
    what is wrong is a gradient that looks constant, or another value.
    """
    name = "the derivative of a gradient penalty"
    draw = np.random.Generator(np.random.PCG64(5))
    direction = torch.from_numpy(draw.standard_normal(tuple(arrays.input.shape))).to(arrays.input)
    try:
        operand, slope = slope_at(implementation, case, arrays, create_graph=True)
        if not slope.requires_grad:
            fault = "create_graph=True gives a gradient that has no graph, and raises no error"
            yield QuantityCheck(name, inf, fault=fault)
            return
        [found] = torch.autograd.grad(slope.square().sum() / 2, operand)
    except RuntimeError:
        yield QuantityCheck(name)
        return
    sides = [
        float(slope_at(implementation, case, moved)[1].square().sum() / 2)
        for moved in (along(arrays, {"input": direction}, sign * STEP) for sign in (1, -1))
    ]
    terms = found * direction
    yield worst(
        name,
        np.array([float(terms.sum())]),
        np.array([(sides[0] - sides[1]) / (2 * STEP)]),
        TOLERANCE * float(terms.abs().sum()),
        torch.float64,
    )


def slope_at(
    implementation: Implementation,
    case: DifferencesCase,
    arrays: Arrays,
    *,
    create_graph: bool = False,
) -> tuple[Tensor, Tensor]:
    """The input, as a leaf, and dφ/dinput there."""
    made = step(implementation, case.problem, arrays, training=case.phase.training)
    operand = made.operands.input
    [slope] = torch.autograd.grad(made.output, operand, made.grad_output, create_graph=create_graph)
    return operand, slope


def left(
    implementation: Implementation, case: DifferencesCase, phase: Phase, arrays: Arrays
) -> Results:
    """What one call of a phase leaves."""
    prepared = implementation.prepare(
        case.problem, phase, face=case.face, outputs="fresh", arrays=arrays
    )
    return call_once(prepared).results()


def along(arrays: Arrays, moved: dict[str, Tensor], step: float) -> Arrays:
    return replace(
        arrays,
        **{name: getattr(arrays, name) + step * direction for name, direction in moved.items()},
    )


def phi(output: Tensor, arrays: Arrays) -> float:
    return float((output.double() * arrays.grad_output.double()).sum())


def clear_of_the_kink(problem: Problem, phase: Phase, device: str) -> Arrays:
    """Operands of the first seed for which no z is near zero."""
    for seed in range(1000):
        arrays = make_arrays(problem, seed, device=device)
        if abs(oracle.evaluate(problem, phase, arrays).z).min() > CLEARANCE:
            return arrays
    raise ValueError(
        f"{problem} is too large: among so many z some always lie within {CLEARANCE} of zero"
    )


METHODS: Mapping[str, Callable[..., Iterator[QuantityCheck]]] = {
    "gradcheck": jacobian,
    "directions": directions,
    "penalty": penalty,
}
