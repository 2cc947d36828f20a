"""Calls and modules, side by side with PyTorch's: the same shapes, errors, buffers and values, and arguments untouched.

PyTorch is the oracle of behaviour. Values are held against what it computes in float64 from the same operands, to

    |implementation - PyTorch| ≤ 4 k √n u max(1, max|PyTorch|)

in the notation of `tolerances`, for k roundings in a row over n observations that are normal. That tells whether the
right thing was computed; how well, other cases ask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import inf, prod, sqrt
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from harness.conformance.cases import OF_INPUT, CallCase, ModuleCase
from harness.conformance.compare import Finding, worst
from harness.conformance.tolerances import LAMBDA, ROUNDINGS
from implementations import BatchNorm, Unavailable, Unsupported, batch_norm
from implementations.interface import Implementation

Tensor = torch.Tensor
OPERANDS = ("input", "weight", "bias")
STATISTICS = ("running_mean", "running_var")
MODULES = {2: torch.nn.BatchNorm1d, 3: torch.nn.BatchNorm1d, 4: torch.nn.BatchNorm2d, 5: torch.nn.BatchNorm3d}


def check_call(implementation: Implementation, case: CallCase, device: str) -> Iterator[Finding]:
    """Call twice, so that what the first call left behind matters, and compare all that is left each time."""
    mine, theirs, exact = (arguments(case, device) for _ in range(3))
    exact = {name: value.double() if isinstance(value, Tensor) else value for name, value in exact.items()}
    for _ in range(2):
        before = {name: value.clone() for name, value in mine.items() if isinstance(value, Tensor)}
        expected = outcome(functional.batch_norm, **theirs)
        got = outcome(batch_norm, **mine, implementation=implementation)
        if isinstance(expected, Exception) or isinstance(got, Exception):
            yield error(got, expected)
            return
        precise = functional.batch_norm(**exact)
        tolerance = bound(case.shape, got.dtype)
        yield compared("output", got, expected, precise, tolerance)
        for name in (name for name in STATISTICS if mine[name] is not None):
            yield compared(name, mine[name], theirs[name], exact[name], tolerance)
        if case.gradients:
            yield from gradients(mine, exact, got, precise, tolerance)
        yield from untouched(mine, before, OPERANDS if case.training else (*OPERANDS, *STATISTICS))


def check_module(implementation: Implementation, case: ModuleCase, device: str) -> Iterator[Finding]:
    """Load PyTorch's state, call in turn, compare outputs and buffers after each call, and hand the state back."""
    channels = case.shape[1]
    settings = (channels, case.eps, case.momentum, case.affine, case.track_running_stats)
    exact = MODULES[len(case.shape)](*settings, device, torch.float64)
    mine = BatchNorm(*settings, implementation=implementation, device=device)
    draw = np.random.Generator(np.random.PCG64(1))
    for parameter in exact.parameters():
        parameter.data.copy_(normal(draw, (channels,)))
    mine.load_state_dict(exact.state_dict())
    for training in case.calls:
        drawn = normal(draw, case.shape).to(device)
        x, wide = (tensor.requires_grad_(case.gradients) for tensor in (drawn, drawn.double()))
        got, precise = mine.train(training)(x), exact.train(training)(wide)
        tolerance = bound(case.shape, torch.float32)
        yield compared("output", got, torch.empty(case.shape), precise, tolerance)
        if case.gradients and training:
            towards = normal(draw, case.shape).to(device)
            got.backward(towards)
            precise.backward(towards.double())
            yield compared("input.grad", x.grad, x, wide.grad, tolerance)
            for name, parameter in mine.named_parameters():
                yield compared(f"{name}.grad", parameter.grad, parameter, exact.get_parameter(name).grad, tolerance)
        yield from states(mine, exact, tolerance)
    exact.load_state_dict(mine.state_dict())
    yield from states(mine, exact, 0.0)


def states(mine: torch.nn.Module, exact: torch.nn.Module, tolerance: float) -> Iterator[Finding]:
    """Parameters and buffers: the same names in the same order, and the same values."""
    got, expected = mine.state_dict(), exact.state_dict()
    if list(got) != list(expected):
        yield Finding("state_dict", inf, fault=f"has keys {list(got)}; PyTorch's has {list(expected)}")
        return
    for name, value in got.items():
        like = expected[name].float() if expected[name].is_floating_point() else expected[name]
        yield compared(name, value, like, expected[name], tolerance)


def outcome(call: Callable[..., Tensor], **arguments: Any) -> Tensor | Exception:
    """What a call returns or raises; a refusal is neither."""
    try:
        return call(**arguments)
    except (Unsupported, Unavailable):
        raise
    except Exception as raised:
        return raised


def arguments(case: CallCase, device: str) -> dict[str, Any]:
    """The arguments of a call, drawn anew and the same each time; variances are positive, dtypes the case's."""
    draw = np.random.Generator(np.random.PCG64(0))
    channels = case.shape[1] if len(case.shape) > 1 else 0

    def parameter(length: int | None) -> Tensor | None:
        drawn = None if length is None else normal(draw, (channels if length == OF_INPUT else length,))
        return None if drawn is None else drawn.to(device, getattr(torch, case.parameter_dtype))

    made = {
        "input": VIEWS[case.view](normal(draw, case.shape).to(device, getattr(torch, case.dtype))),
        "running_mean": parameter(case.running_mean), "running_var": parameter(case.running_var),
        "weight": parameter(case.weight), "bias": parameter(case.bias),
    }
    for name, tensor in made.items():
        if tensor is not None and name == "running_var":
            tensor.abs_()
        elif tensor is not None and name in OPERANDS:
            tensor.requires_grad_(case.gradients)
    return {**made, "training": case.training, "momentum": case.momentum, "eps": case.eps}


VIEWS: dict[str, Callable[[Tensor], Tensor]] = {
    "plain": lambda x: x,
    "sliced": lambda x: torch.stack([x, -x], -1).flatten(-2)[..., ::2],
    "permuted": lambda x: x.permute(3, 2, 0, 1).contiguous().permute(2, 3, 1, 0),
    "expanded": lambda x: x[:, :, :1].expand_as(x),
}


def error(got: Tensor | Exception, expected: Tensor | Exception) -> Finding:
    """What is raised must be what PyTorch raises, or a kind of it."""
    if isinstance(expected, Exception) and isinstance(got, type(expected)):
        return Finding("exception")
    told, wanted = ("nothing is raised" if isinstance(what, Tensor) else f"{type(what).__name__}: {what}"
                    for what in (got, expected))
    return Finding("exception", inf, fault=f"is not PyTorch's: {told}; PyTorch: {wanted}")


def compared(quantity: str, got: Any, like: Tensor, exact: Any, tolerance: float) -> Finding:
    """``got`` must have the shape and dtype of ``like`` and the values of ``exact``, within a part of their largest."""
    if got is None or got.shape != like.shape or got.dtype != like.dtype:
        told = "is missing" if got is None else f"is {got.dtype} {tuple(got.shape)}"
        return Finding(quantity, inf, fault=f"{told}; PyTorch gives {like.dtype} {tuple(like.shape)}")
    here, there = (tensor.detach().cpu().double().numpy() for tensor in (got, exact))
    largest = max(1.0, float(abs(there).max(initial=0.0)))
    return worst(quantity, here, there, tolerance * largest, got.dtype if got.is_floating_point() else torch.float64)


def gradients(mine: dict[str, Any], exact: dict[str, Any], got: Tensor, precise: Tensor,
              tolerance: float) -> Iterator[Finding]:
    """The operands' gradients, towards a direction that is drawn: that of a sum is zero, and proves nothing."""
    towards = normal(np.random.Generator(np.random.PCG64(2)), tuple(got.shape))
    names = [name for name in OPERANDS if mine[name] is not None]
    found = torch.autograd.grad(got, [mine[name] for name in names], towards.to(got), allow_unused=True)
    wanted = torch.autograd.grad(precise, [exact[name] for name in names], towards.to(got).to(precise))
    for name, gradient, reference in zip(names, found, wanted, strict=True):
        yield compared(f"{name}.grad", gradient, mine[name], reference, tolerance)


def untouched(arguments: dict[str, Any], before: dict[str, Tensor], names: tuple[str, ...]) -> Iterator[Finding]:
    """One finding for each argument that a call changed and should not have."""
    for name in names:
        if name in before and not torch.equal(arguments[name], before[name]):
            yield Finding(name, inf, fault="was changed by the call")


def bound(shape: tuple[int, ...], dtype: torch.dtype) -> float:
    """The tolerance relative to the largest value, for a batch of this shape."""
    observations = max(prod(shape) // max(shape[1], 1), 1) if len(shape) > 1 else 1
    return LAMBDA * ROUNDINGS * sqrt(observations) * torch.finfo(dtype).eps / 2


def normal(draw: np.random.Generator, shape: tuple[int, ...]) -> Tensor:
    """float32 values that are drawn from a standard normal distribution."""
    return torch.from_numpy(np.asarray(draw.standard_normal(shape, dtype=np.float32)))
