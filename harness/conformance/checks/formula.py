"""Batch norm by its formula in float64, in elementary operations that autograd differentiates: what
values are held against, since PyTorch's own kernels can be wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

Tensor = torch.Tensor


class ByFormula(TorchFunctionMode):
    """While it is active, `torch.nn.functional.batch_norm` computes by the formula, and raises what
    PyTorch's raises.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func is not functional.batch_norm:
            return func(*args, **(kwargs or {}))
        input, mean, var = args
        with torch.no_grad():
            answer = func(input, _copied(mean), _copied(var), **(kwargs or {}))
        return batch_norm(*args, **(kwargs or {})) if input.numel() else answer


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
) -> Tensor:
    """The laws of `interface`, line by line."""
    axes = [0, *range(2, input.dim())]
    column = (-1, *[1] * (input.dim() - 2))
    mean, var = running_mean, running_var
    if training or mean is None or var is None:
        mean = input.mean(axes)
        var = (input - mean.view(column)).square().mean(axes)
        count = input.numel() // input.shape[1]
        _update(running_mean, mean, momentum)
        _update(running_var, var * (count / (count - 1)), momentum)
    normalized = (input - mean.view(column)) / torch.sqrt(var.view(column) + eps)
    output = normalized if weight is None else normalized * weight.view(column)
    return output if bias is None else output + bias.view(column)


def _update(running: Tensor | None, batch: Tensor, momentum: float) -> None:
    if running is not None:
        with torch.no_grad():
            running.mul_(1 - momentum).add_(batch, alpha=momentum)


def _copied(statistic: Tensor | None) -> Tensor | None:
    return None if statistic is None else statistic.clone()
