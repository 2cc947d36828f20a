"""What is computed, as plain data: a problem, and the part of the work that is done on it.

This module imports no array library, so that a listing of implementations costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from math import prod
from operator import index
from typing import Literal

Face = Literal["layer", "kernel"]
Outputs = Literal["fresh", "reused"]

DTYPES = ("float32", "float64", "bfloat16", "float16")
MEMORY_FORMATS = ("contiguous", "channels_last")
ACTIVATIONS = (None, "relu")
RANKS = range(2, 6)


class Phase(StrEnum):
    """What part of the work is done. ``backward`` alone runs on the result of an untimed
    forward.
    """

    FORWARD_TRAINING = "forward_training"
    BACKWARD = "backward"
    TRAINING_STEP = "training_step"
    INFERENCE = "inference"
    BACKWARD_INFERENCE = "backward_inference"

    @property
    def training(self) -> bool:
        """Whether the mini-batch's statistics are used, rather than the running ones."""
        return self not in (Phase.INFERENCE, Phase.BACKWARD_INFERENCE)

    @property
    def has_forward(self) -> bool:
        """Whether a forward is part of the timed work."""
        return self not in (Phase.BACKWARD, Phase.BACKWARD_INFERENCE)

    @property
    def has_backward(self) -> bool:
        """Whether gradients are part of the work."""
        return self not in (Phase.FORWARD_TRAINING, Phase.INFERENCE)


@dataclass(frozen=True)
class Problem:
    """What is computed. ``shape`` is (N, C, *spatial), of rank 2 to 5; dtypes are names such as
    "float32".

    ``parameter_dtype`` is the dtype of weight, bias and running statistics; ``None`` means that of
    the data. "Mixed" is bfloat16 or float16 data with float32 parameters, as under autocast.
    """

    shape: tuple[int, ...]
    dtype: str = "float32"
    parameter_dtype: str | None = None
    memory_format: str = "contiguous"
    activation: str | None = None
    residual: bool = False
    weight: bool = True
    bias: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", _sizes(self.shape))
        object.__setattr__(self, "parameter_dtype", self.parameter_dtype or self.dtype)
        _require(
            "shape",
            self.shape,
            len(self.shape) in RANKS,
            "2 to 5 sizes: N, C and up to three of space",
        )
        _require("shape", self.shape, min(self.shape) > 0, "positive sizes")
        _require("dtype", self.dtype, self.dtype in DTYPES, DTYPES)
        mixed = self.parameter_dtype == "float32" and self.dtype in ("bfloat16", "float16")
        _require(
            "parameter_dtype",
            self.parameter_dtype,
            mixed or self.parameter_dtype == self.dtype,
            "the data's dtype, or float32 for bfloat16 and float16 data",
        )
        _require(
            "memory_format",
            self.memory_format,
            self.memory_format in MEMORY_FORMATS,
            MEMORY_FORMATS,
        )
        _require(
            "memory_format",
            self.memory_format,
            len(self.shape) in (4, 5) or self.memory_format == "contiguous",
            "channels_last for rank 4 or 5 only",
        )
        _require("activation", self.activation, self.activation in ACTIVATIONS, ACTIVATIONS)

    @property
    def channels(self) -> int:
        return self.shape[1]

    @property
    def size(self) -> int:
        """How many elements the input has."""
        return prod(self.shape)

    @property
    def reduction(self) -> int:
        """n, how many values a channel's statistics are taken over."""
        return self.size // self.channels

    def __str__(self) -> str:
        dtype = (
            self.dtype
            if self.parameter_dtype == self.dtype
            else f"{self.dtype}/{self.parameter_dtype}"
        )
        words = ["×".join(map(str, self.shape)), dtype]
        words += [self.memory_format] * (self.memory_format != "contiguous")
        words += [str(self.activation)] * (self.activation is not None)
        words += ["residual"] * self.residual
        words += ["no weight"] * (not self.weight) + ["no bias"] * (not self.bias)
        return " ".join(words)


def _sizes(shape: Iterable[object]) -> tuple[int, ...]:
    """The sizes as Python's integers, of whatever library's they are; 3.7 is none."""
    try:
        return tuple(index(size) for size in shape)  # type: ignore[arg-type]  # the except is for it
    except TypeError:
        raise ValueError(
            f"Problem(shape={shape!r}) is not possible; allowed: 2 to 5 integers, as in (32, 64, "
            "56, 56)"
        ) from None


def _require(field: str, given: object, holds: bool, allowed: object) -> None:
    if not holds:
        raise ValueError(f"Problem({field}={given!r}) is not possible; allowed: {allowed}")
