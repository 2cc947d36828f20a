"""The contract between an implementation of batch normalization and whoever calls it.

The laws, for an input x of shape (N, C, *spatial), per channel c, with n = N · prod(spatial) values
each:

    forward      mean = Σx / n,  var = Σ(x - mean)² / n                 (training; else the running
                 statistics) x̂ = (x - mean) / sqrt(var + eps) z = weight · x̂ + bias + residual
                 (an absent weight is 1, bias and residual 0) output = z, or max(z, 0) under
                 activation "relu"
    statistics   running_mean ← (1 - momentum) · running_mean + momentum · mean
                 running_var  ← (1 - momentum) · running_var  + momentum · var · n / (n - 1)
    backward     dz = grad_output, times [output > 0] under "relu", so relu'(0) = 0
                 dbias = Σdz,  dweight = Σ(dz · x̂),  dresidual = dz
                 dinput = weight / sqrt(var + eps) · (dz - dbias / n - x̂ · dweight / n)
                 dinput = weight / sqrt(var + eps) · dz                  (frozen statistics)

The semantics are PyTorch's. Laws that follow, and that the conformance suite holds against every
implementation: Σ dinput = 0 and Σ(dinput · x̂) ≈ 0 in training; output(a·x + b) = output(x) for a >
0 and eps → 0; a NaN stays in its channel (the slope of ReLU at NaN is left open); no argument is
changed but the running statistics.

This module imports no array library, so that a listing of implementations costs nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from math import prod
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, Self

if TYPE_CHECKING:
    import torch

Face = Literal["layer", "kernel"]
Outputs = Literal["fresh", "reused"]

DTYPES = ("float32", "float64", "bfloat16", "float16")
MEMORY_FORMATS = ("contiguous", "channels_last")
ACTIVATIONS = (None, "relu")
RANKS = range(2, 6)


class Unsupported(Exception):  # noqa: N818 -- the contract names the state, not the error
    """An implementation refuses a problem. The message is the reason."""


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
        object.__setattr__(self, "shape", tuple(int(size) for size in self.shape))
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
        said = ["×".join(map(str, self.shape)), dtype]
        said += [self.memory_format] * (self.memory_format != "contiguous")
        said += [str(self.activation)] * (self.activation is not None)
        said += ["residual"] * self.residual
        said += ["no weight"] * (not self.weight) + ["no bias"] * (not self.bias)
        return " ".join(said)


def _require(field: str, given: object, holds: bool, allowed: object) -> None:
    if not holds:
        raise ValueError(f"Problem({field}={given!r}) is not possible; allowed: {allowed}")


class Options(NamedTuple):
    """The arguments of one call that are not arrays."""

    training: bool
    momentum: float = 0.1
    eps: float = 1e-5
    activation: str | None = None


@dataclass(frozen=True)
class Arrays:
    """The operands of one problem as torch tensors. Whoever prepares must copy what it would
    change.
    """

    input: torch.Tensor
    grad_output: torch.Tensor
    residual: torch.Tensor | None
    weight: torch.Tensor | None
    bias: torch.Tensor | None
    running_mean: torch.Tensor
    running_var: torch.Tensor
    momentum: float = 0.1
    eps: float = 1e-5


class Gradients(NamedTuple):
    """Gradients by the operand's name, as arrays of the library's own kind; absent ones are
    None.
    """

    input: Any
    residual: Any
    weight: Any
    bias: Any


@dataclass(frozen=True)
class Results:
    """What one call left behind, as torch tensors. A phase without a backward has no gradients.

    ``output`` is also given by the backward phases: it is the forward's that the gradients belong
    to.
    """

    output: torch.Tensor
    running_mean: torch.Tensor
    running_var: torch.Tensor
    grad_input: torch.Tensor | None = None
    grad_residual: torch.Tensor | None = None
    grad_weight: torch.Tensor | None = None
    grad_bias: torch.Tensor | None = None


class Layer(Protocol):
    """What a user calls: torch tensors in, a differentiable torch tensor out, running statistics
    updated in place.
    """

    def __call__(
        self,
        input: torch.Tensor,
        residual: torch.Tensor | None,
        weight: torch.Tensor | None,
        bias: torch.Tensor | None,
        running_mean: torch.Tensor | None,
        running_var: torch.Tensor | None,
        options: Options,
    ) -> torch.Tensor: ...


class Forward(Protocol):
    """The first of the two functions that a plug-in's author writes, on arrays of the library's own
    kind.

    Returns the output (in ``out`` where that is given) and a tuple of whatever arrays the backward
    needs, ``None`` among them where it likes. Updates the running statistics in place when training
    and they are not None.
    """

    def __call__(
        self,
        input: Any,
        residual: Any,
        weight: Any,
        bias: Any,
        running_mean: Any,
        running_var: Any,
        options: Options,
        out: Any = None,
    ) -> tuple[Any, tuple[Any, ...]]: ...


class Backward(Protocol):
    """The second of them: gradients from the output's gradient and what the forward saved, changing
    neither.
    """

    def __call__(
        self,
        grad_output: Any,
        saved: tuple[Any, ...],
        options: Options,
        out: Gradients | None = None,
    ) -> Gradients: ...


class Prepared(ABC):
    """One implementation, ready to do one phase of one problem as often as it is asked."""

    @abstractmethod
    def arm(self, calls: int) -> None:
        """Untimed: make what the next ``calls`` calls will consume, and restore the old running
        statistics.
        """

    @abstractmethod
    def __call__(self) -> None:
        """Timed: one call on native arrays, with no conversion."""

    @abstractmethod
    def synchronize(self) -> None:
        """Timed, once a sample: wait until all that was called is done."""

    @abstractmethod
    def results(self) -> Results:
        """Untimed: what the last call left."""


class Implementation(ABC):
    """One way to compute BN, with no state of its own: copies of a model share it."""

    runtime: str

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    @abstractmethod
    def unsupported(self, problem: Problem, phase: Phase, device: str) -> str | None:
        """Why this cannot be done here, in a sentence for the report; None when it can."""

    @abstractmethod
    def layer(self, problem: Problem) -> Layer:
        """The differentiable function that ``batch_norm`` and ``BatchNorm`` call. Compilers
        specialize it.
        """

    @abstractmethod
    def prepare(
        self, problem: Problem, phase: Phase, *, face: Face, outputs: Outputs, arrays: Arrays
    ) -> Prepared:
        """Convert, compile, allocate. Raises ``Unsupported`` where this face cannot write to such
        outputs.
        """
