"""What is looked at between steps, off the clock, and changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from math import isfinite, sqrt
from typing import Any

import torch
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils import get_total_norm

from harness.training.datasets import Split

AT_ONCE = 1000  # images: more would leave the caches, and fill memory in a deep network


def norm(tensors: Iterable[torch.Tensor | None]) -> float | None:
    """The Euclidean norm of all of them as one vector; None where it is not finite."""
    found = get_total_norm([tensor.detach() for tensor in tensors if tensor is not None]).item()
    return found if isfinite(found) else None


def evaluate(model: torch.nn.Module, split: Split) -> float:
    """The share of images that ``model`` gives their own label, with running statistics. Leaves it
    in training mode.
    """
    model.eval()
    with torch.no_grad():
        parts = zip(
            torch.split(split.images, AT_ONCE), torch.split(split.labels, AT_ONCE), strict=True
        )
        correct = sum(int((model(images).argmax(1) == labels).sum()) for images, labels in parts)
    model.train()
    return correct / len(split)


def running_lag(model: torch.nn.Module, images: torch.Tensor) -> float | None:
    """How far running means are from the means of this batch, in the batch's standard deviations.

    The root of the mean square over all channels that have running statistics and vary in the
    batch. None where there are no such channels, or it is not finite. After Wu & Johnson 2021,
    "Rethinking 'Batch' in BatchNorm", section 3.
    """
    squares: list[torch.Tensor] = []

    def look(layer: Any, given: tuple[Any, ...]) -> None:
        variance, mean = torch.var_mean(
            given[0].detach(), [axis for axis in range(given[0].dim()) if axis != 1], correction=0
        )
        varies = variance > 0
        squares.append(((layer.running_mean - mean)[varies] ** 2 / variance[varies]).double())

    with _watched(model, look):
        model(images)
    found = torch.cat(squares) if squares else torch.empty(0)
    lag = sqrt(found.mean().item()) if len(found) else float("nan")
    return lag if isfinite(lag) else None


@contextmanager
def _watched(model: torch.nn.Module, look: Any) -> Iterator[None]:
    """``look`` is called before each layer with running statistics is. All buffers are put back
    afterwards.
    """
    layers = [
        layer
        for layer in model.modules()
        if isinstance(layer, _BatchNorm) and layer.running_mean is not None
    ]
    before = [(buffer, buffer.clone()) for buffer in model.buffers()]
    hooks = [layer.register_forward_pre_hook(look) for layer in layers]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
        for buffer, value in before:
            buffer.copy_(value)
