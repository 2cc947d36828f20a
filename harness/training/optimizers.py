"""Gradient descent and its three descendants, by name, as PyTorch implements them and without
weight decay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.config.choices import Optimizer
from harness.training.lookup import choose

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import torch

# A class of torch.optim, and where it departs from that class's defaults.
OPTIMIZERS: Mapping[Optimizer, tuple[str, Mapping[str, float]]] = {
    "sgd": ("SGD", {}),
    "momentum": ("SGD", {"momentum": 0.9}),
    "rmsprop": ("RMSprop", {}),
    "adam": ("Adam", {}),
}

# Rates at which the networks here learn, with batch norm and more slowly without; chosen on seeds
# 100 to 102.
RATES: Mapping[Optimizer, float] = {"sgd": 0.5, "momentum": 0.1, "rmsprop": 0.003, "adam": 0.003}


def make(
    name: str, parameters: Iterable[torch.nn.Parameter], learning_rate: float
) -> torch.optim.Optimizer:
    """The optimizer of that name. Raises ValueError for an unknown name."""
    import torch

    kind, arguments = choose("optimizer", name, OPTIMIZERS)
    made: torch.optim.Optimizer = getattr(torch.optim, kind)(
        parameters, lr=learning_rate, **arguments
    )
    return made
