"""What is compared with PyTorch's own answer, whichever way it was asked for.

PyTorch is the oracle of behaviour. Values are held against the formula in float64 on the same
operands, to

    |implementation - formula| ≤ 4 k √n u max(1, max|formula|)

in the notation of `tolerances`, for k roundings in a row over n observations that are normal. That
tells whether the right thing was computed; how well, other cases ask.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf, prod, sqrt
from typing import Any

import numpy as np
import torch

from harness.conformance.compare import QuantityCheck, worst
from harness.conformance.tolerances import LAMBDA, ROUNDINGS
from implementations import Unavailable, Unsupported
from implementations.torch_formats import CHANNELS_LAST

Tensor = torch.Tensor


def outcome(call: Callable[..., Tensor], *arguments: Any, **keywords: Any) -> Tensor | Exception:
    """What a call returns or raises; a refusal is neither."""
    try:
        return call(*arguments, **keywords)
    except (Unsupported, Unavailable):
        raise
    except Exception as raised:
        return raised


def error(got: Tensor | Exception, expected: Tensor | Exception) -> QuantityCheck:
    """What is raised must be what PyTorch raises, or a kind of it."""
    if isinstance(expected, Exception) and isinstance(got, type(expected)):
        return QuantityCheck("exception")
    fault = f"is not PyTorch's: {_described(got)}; PyTorch: {_described(expected)}"
    return QuantityCheck("exception", inf, fault=fault)


def _described(outcome: Tensor | Exception) -> str:
    if isinstance(outcome, Tensor):
        return "nothing is raised"
    return f"{type(outcome).__name__}: {outcome}"


def compared(quantity: str, got: Any, like: Tensor, exact: Any, tolerance: float) -> QuantityCheck:
    """``got`` must have the shape and dtype of ``like`` and the values of ``exact``, within a part
    of their largest.
    """
    if got is None or got.shape != like.shape or got.dtype != like.dtype:
        fault = "is missing" if got is None else f"is {got.dtype} {tuple(got.shape)}"
        return QuantityCheck(
            quantity, inf, fault=f"{fault}; PyTorch gives {like.dtype} {tuple(like.shape)}"
        )
    here, there = (tensor.detach().cpu().double().numpy() for tensor in (got, exact))
    largest = max(1.0, float(abs(there).max(initial=0.0)))
    return worst(
        quantity,
        here,
        there,
        tolerance * largest,
        got.dtype if got.is_floating_point() else torch.float64,
    )


def bound(shape: tuple[int, ...], dtype: torch.dtype) -> float:
    """The tolerance relative to the largest value, for a batch of this shape."""
    observations = max(prod(shape) // max(shape[1], 1), 1) if len(shape) > 1 else 1
    return LAMBDA * ROUNDINGS * sqrt(observations) * torch.finfo(dtype).eps / 2


def normal(draw: np.random.Generator, shape: tuple[int, ...]) -> Tensor:
    """float32 values that are drawn from a standard normal distribution."""
    return torch.from_numpy(np.asarray(draw.standard_normal(shape, dtype=np.float32)))


def laid_out(tensor: Tensor, memory_format: str) -> Tensor:
    """The tensor in a memory format of the contract's."""
    blocked = memory_format == "channels_last"
    return tensor.contiguous(
        memory_format=CHANNELS_LAST[tensor.dim()] if blocked else torch.contiguous_format
    )
