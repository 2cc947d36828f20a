"""The life of a `BatchNorm`, side by side with PyTorch's module in float64, whose values are the
formula's: outputs, gradients, buffers, `state_dict`.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

import numpy as np
import torch
from torch.nn.modules.batchnorm import _BatchNorm

from harness.conformance.cases import ModuleCase
from harness.conformance.checks.formula import ByFormula
from harness.conformance.checks.pytorch_reference import (
    bound,
    compared,
    error,
    laid_out,
    normal,
    outcome,
)
from harness.conformance.compare import QuantityCheck
from implementations import BatchNorm
from implementations.interface import Implementation

MODULES = {
    2: torch.nn.BatchNorm1d,
    3: torch.nn.BatchNorm1d,
    4: torch.nn.BatchNorm2d,
    5: torch.nn.BatchNorm3d,
}


def check(implementation: Implementation, case: ModuleCase, device: str) -> Iterator[QuantityCheck]:
    """Load PyTorch's state, call in turn, compare outputs and buffers after each call, and hand the
    state back.
    """
    draw = np.random.Generator(np.random.PCG64(1))
    mine, exact = made(implementation, case, device)
    names = [list(module.state_dict()) for module in (mine, exact)]
    if names[0] != names[1]:
        yield QuantityCheck(
            "state_dict", inf, fault=f"has keys {names[0]}; PyTorch's has {names[1]}"
        )
        return
    alike(mine, exact, case, draw)
    dtype = getattr(torch, case.dtype)
    tolerance = bound(case.shape, dtype)
    for training in case.calls:
        drawn = laid_out(normal(draw, case.shape).to(device, dtype), case.memory_format)
        x, wide = (tensor.requires_grad_(case.gradients) for tensor in (drawn, drawn.double()))
        got = outcome(mine.train(training), x)
        with ByFormula():
            precise = outcome(exact.train(training), wide)
        if isinstance(got, Exception) or isinstance(precise, Exception):
            yield error(got, precise)
            return
        yield compared("output", got, x, precise, tolerance)
        if case.gradients:
            yield from gradients(
                mine,
                exact,
                (x, wide),
                (got, precise),
                normal(draw, case.shape).to(drawn),
                tolerance,
            )
        yield from states(mine, exact, dtype, tolerance)
    # which raises for what PyTorch's module would not take
    exact.load_state_dict(mine.state_dict())


def made(
    implementation: Implementation, case: ModuleCase, device: str
) -> tuple[_BatchNorm, _BatchNorm]:
    """The module that is judged, and PyTorch's."""
    settings = (case.shape[1], case.eps, case.momentum, case.affine, case.track_running_stats)
    exact = MODULES[len(case.shape)](*settings, device, torch.float64)
    if not case.bias:
        exact.register_parameter("bias", None)  # PyTorch takes ``bias=False`` from 2.13 on
    mine = BatchNorm(
        *settings,
        implementation=implementation,
        device=device,
        dtype=getattr(torch, case.dtype),
        bias=case.bias,
    )
    return mine, exact


def alike(mine: _BatchNorm, exact: _BatchNorm, case: ModuleCase, draw: np.random.Generator) -> None:
    """Give both the same parameters: those of the second, handed over by its ``state_dict``."""
    for parameter in exact.parameters():
        parameter.data.copy_(normal(draw, (case.shape[1],)))
    state = {
        name: tensor
        for name, tensor in exact.state_dict().items()
        if not (case.old and name == "num_batches_tracked")
    }
    exact.load_state_dict(state)
    mine.load_state_dict(state)
    if case.untracked:
        for module in (mine, exact):
            module.track_running_stats = False


def gradients(
    mine: _BatchNorm,
    exact: _BatchNorm,
    inputs: tuple[torch.Tensor, torch.Tensor],
    outputs: tuple[torch.Tensor, torch.Tensor],
    towards: torch.Tensor,
    tolerance: float,
) -> Iterator[QuantityCheck]:
    """Of the input and of every parameter."""
    mine.zero_grad()
    exact.zero_grad()
    torch.autograd.backward(outputs[0], towards)
    torch.autograd.backward(outputs[1], towards.double())
    yield compared("input.grad", inputs[0].grad, inputs[0], inputs[1].grad, tolerance)
    for name, parameter in mine.named_parameters():
        yield compared(
            f"{name}.grad", parameter.grad, parameter, exact.get_parameter(name).grad, tolerance
        )


def states(
    mine: _BatchNorm, exact: _BatchNorm, dtype: torch.dtype, tolerance: float
) -> Iterator[QuantityCheck]:
    """The values of parameters and buffers."""
    expected = exact.state_dict()
    for name, value in mine.state_dict().items():
        like = expected[name].to(dtype) if expected[name].is_floating_point() else expected[name]
        yield compared(name, value, like, expected[name], tolerance)
