"""Calls of `batch_norm`, side by side with PyTorch's: the same shapes, errors and buffers, the
formula's values, arguments untouched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from harness.conformance.cases import OF_INPUT, CallCase
from harness.conformance.checks.formula import ByFormula
from harness.conformance.checks.pytorch_reference import bound, compared, error, normal, outcome
from harness.conformance.checks.snapshots import changed, snapshot
from harness.conformance.compare import QuantityCheck
from harness.problems.inputs import shifted, with_odd_strides
from harness.problems.tensors import named_tensors
from implementations import batch_norm
from implementations.interface import Implementation
from implementations.torch_formats import CHANNELS_LAST

Tensor = torch.Tensor
MODES: dict[str, Callable[[], Any]] = {
    "grad": torch.enable_grad,
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
}
OPERANDS = ("input", "weight", "bias")
STATISTICS = ("running_mean", "running_var")


def check(implementation: Implementation, case: CallCase, device: str) -> Iterator[QuantityCheck]:
    """Call twice, so that what the first call left behind matters, and compare all that is left
    each time.
    """
    with MODES[case.mode]():  # tensors that are made in inference mode stay tensors of it
        mine = arguments(case, device)
    theirs, exact = (arguments(case, device) for _ in range(2))
    exact = {
        name: value.double() if isinstance(value, Tensor) else value
        for name, value in exact.items()
    }
    for _ in range(2):
        before = snapshot(named_tensors(mine))
        expected = outcome(functional.batch_norm, **theirs)
        with MODES[case.mode]():
            got = outcome(batch_norm, **mine, implementation=implementation)
        if isinstance(expected, Exception) or isinstance(got, Exception):
            yield error(got, expected)
            return
        with ByFormula():
            precise = functional.batch_norm(**exact)
        tolerance = bound(case.shape, got.dtype)
        output = compared("output", got, expected, precise, tolerance)
        yield output
        if output.fault is not None:
            return  # an output of another shape has other gradients
        for name in (name for name in STATISTICS if mine[name] is not None):
            yield compared(name, mine[name], theirs[name], exact[name], tolerance)
        if case.gradients:
            yield from gradients(case, mine, exact, got, precise, tolerance)
        kept = OPERANDS if case.training else (*OPERANDS, *STATISTICS)
        yield from changed(
            {name: before[name] for name in kept if name in before},
            named_tensors(mine),
            "was changed by the call",
        )


def arguments(case: CallCase, device: str) -> dict[str, Any]:
    """The arguments of a call, drawn anew and the same each time; variances are positive, dtypes
    the case's.
    """
    draw = np.random.Generator(np.random.PCG64(0))
    channels = case.shape[1] if len(case.shape) > 1 else 0

    def parameter(length: int | None) -> Tensor | None:
        drawn = (
            None if length is None else normal(draw, (channels if length == OF_INPUT else length,))
        )
        return (
            None
            if drawn is None
            else VIEWS[case.parameters](drawn.to(device, getattr(torch, case.parameter_dtype)))
        )

    made = {
        "input": VIEWS[case.view](normal(draw, case.shape).to(device, getattr(torch, case.dtype))),
        "running_mean": parameter(case.running_mean),
        "running_var": parameter(case.running_var),
        "weight": parameter(case.weight),
        "bias": parameter(case.bias),
    }
    for name, tensor in made.items():
        if tensor is not None and name == "running_var":
            tensor.abs_()
        elif tensor is not None and name in OPERANDS:
            tensor.requires_grad_(case.gradients)
    return {**made, "training": case.training, "momentum": case.momentum, "eps": case.eps}


# How a tensor may lie in memory. But for "expanded", which repeats its first row of space, each has
# the given values.
VIEWS: dict[str, Callable[[Tensor], Tensor]] = {
    "plain": lambda x: x,
    "sliced": lambda x: torch.stack([x, -x], -1).flatten(-2)[..., ::2],
    "permuted": lambda x: x.permute(3, 2, 0, 1).contiguous().permute(2, 3, 1, 0),
    "expanded": lambda x: x[:, :, :1].expand_as(x),
    "cropped": lambda x: functional.pad(x, (1, 2, 2, 1), value=torch.nan)[..., 2:-1, 1:-2],
    "misaligned": lambda x: shifted(x, 1),
    "channels_last": lambda x: x.contiguous(memory_format=CHANNELS_LAST[x.dim()]),
    "odd": with_odd_strides,
}


def gradients(
    case: CallCase,
    mine: dict[str, Any],
    exact: dict[str, Any],
    got: Tensor,
    precise: Tensor,
    tolerance: float,
) -> Iterator[QuantityCheck]:
    """The operands' gradients, towards a direction that is drawn: that of a sum is zero, and proves
    nothing.
    """
    drawn = normal(np.random.Generator(np.random.PCG64(2)), tuple(got.shape)).to(got)
    towards = VIEWS[case.towards](drawn)
    before = towards.clone()
    names = [name for name in OPERANDS if mine[name] is not None]
    found = torch.autograd.grad(got, [mine[name] for name in names], towards, allow_unused=True)
    wanted = torch.autograd.grad(precise, [exact[name] for name in names], before.to(precise))
    for name, gradient, reference in zip(names, found, wanted, strict=True):
        yield compared(f"{name}.grad", gradient, mine[name], reference, tolerance)
    yield from changed({"the output's gradient": before}, {"the output's gradient": towards})
