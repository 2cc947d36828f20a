"""Small networks whose normalization is a choice and whose initial weights are not.

A builder is given ``normalize``, which makes the layer that normalizes so many features, adds a
residual where it is called with one, and applies an activation (see `training.normalization`).
``bias`` is of the layers before it, where a normalization makes it redundant.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from harness.training.lookup import choose
from harness.training.models.initial import initialize, weighted_layers

if TYPE_CHECKING:
    from torch import nn

    from harness.training.normalization import Normalize

__all__ = [
    "MODELS",
    "OPTIONS",
    "build",
    "initialize",
    "least_parameters",
    "options_of",
    "weighted_layers",
]

OPTIONS = ("depth", "width", "activation", "memory_format")
# Those that each takes, with their values unless others are given. The module of a name has the
# builder, which is imported where it is called: what plans a training needs no PyTorch.
MODELS: Mapping[str, Mapping[str, Any]] = {
    "mlp": {"depth": 3, "width": 100, "activation": "sigmoid"},  # Ioffe & Szegedy 2015, section 4.1
    "cnn": {"activation": "relu", "memory_format": "contiguous"},
    "resnet20": {"memory_format": "contiguous"},
}


def options_of(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The model's options, with those ``given`` that are not None in the place of its own.

    Raises ValueError for an unknown model, or an option that it does not take.
    """
    allowed = choose("model", name, MODELS)
    chosen = {option: value for option, value in given.items() if value is not None}
    for option, value in chosen.items():
        if option not in allowed:
            owners = ", ".join(other for other, options in MODELS.items() if option in options)
            raise ValueError(
                f"{option}={value} is not an option of model={name}; leave it out, or choose a "
                f"model that has it: {owners}"
            )
    return {**allowed, **chosen}


def least_parameters(name: str, options: Mapping[str, Any]) -> int:
    """How many weights there are between the hidden layers of the mlp, which can be of any size;
    nothing for networks that no option makes larger.
    """
    return (options["depth"] - 1) * options["width"] ** 2 if name == "mlp" else 0


def build(
    name: str,
    shape: tuple[int, int, int],
    classes: int,
    normalize: Normalize,
    *,
    bias: bool,
    **options: Any,
) -> nn.Module:
    """The network of that name for images of ``shape``, not initialized. Raises ValueError as
    `options_of` does.

    Weights in channels_last are enough: a convolution's output is laid out as they are, whatever
    its input.
    """
    import torch

    taken = options_of(name, options)
    memory_format = taken.pop("memory_format", "contiguous")
    builder = import_module(f"harness.training.models.{name}")
    model = cast("nn.Module", builder.build(shape, classes, normalize, bias=bias, **taken))
    if memory_format == "channels_last":
        # PyTorch's types lack it
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return model
