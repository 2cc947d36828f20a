"""The contract between an implementation of batch normalization and its callers.

The laws, for an input x of shape (N, C, *spatial), per channel c, with n = N · prod(spatial) values
each:

    forward      mean = Σx / n,  var = Σ(x - mean)² / n     (training; else the running statistics)
                 x̂ = (x - mean) / sqrt(var + eps)
                 z = weight · x̂ + bias + residual        (absent: weight 1, bias and residual 0)
                 output = z, or max(z, 0) under activation "relu"
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

Most implementations need only two functions, a `Forward` and a `Backward`, of which
`implementations.adapters` makes the rest. `Implementation` and `Prepared` are for those that need
more. This module imports no array library, so that a listing of implementations costs nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, Self

from implementations.operands import Arrays, Gradients, Options, Results
from implementations.problem import (
    ACTIVATIONS,
    DTYPES,
    MEMORY_FORMATS,
    RANKS,
    Face,
    Outputs,
    Phase,
    Problem,
)
from implementations.supports import Deviation, Supports

if TYPE_CHECKING:
    import torch

__all__ = [
    "ACTIVATIONS",
    "DTYPES",
    "MEMORY_FORMATS",
    "RANKS",
    "Arrays",
    "Backward",
    "ContractError",
    "Deviation",
    "Face",
    "Forward",
    "Gradients",
    "Implementation",
    "Layer",
    "Options",
    "Outputs",
    "Phase",
    "Prepared",
    "Problem",
    "Results",
    "Supports",
    "Unsupported",
    "call_once",
    "refusal",
]


class Unsupported(Exception):  # noqa: N818 -- the contract names the state, not the error
    """An implementation refuses a problem. The message is the reason."""


class ContractError(Exception):
    """A function of an implementation breaks the contract. The message names the function, and says
    what it returned or takes, and what is awaited of it.
    """


class Layer(Protocol):
    """The differentiable function behind ``batch_norm`` and ``BatchNorm``: torch tensors in, a
    torch tensor of the input's shape, dtype and strides out.

    Operands come as `Forward` describes them. Updates the running statistics in place when
    training and they are not None.
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
    """The first of the two functions that the author of an implementation writes, on arrays of the
    library's own kind.

    ``input`` and ``residual`` are of shape (N, C, *spatial), rank 2 to 5, of one dtype and both in
    the same layout, contiguous or channels_last. The others are of shape (C,), of the input's dtype
    or float32 beside bfloat16 and float16 data, and may be strided. Memory may begin at any address
    that suits the dtype. Each but the input may be None, the running statistics only both together.

    Returns ``(output, saved)``. The output has the input's shape, dtype and layout. ``saved`` is a
    tuple of arrays or None, and of nothing else, which the backward gets as it is. Save operands
    and the output as the very objects that they are, so that autograd notices if they are changed
    before the backward, and the output only if the backward reads it: users may apply a ReLU to it
    in place. Where not ``options.backward_follows``, ``saved`` may be ``()``.

    With ``out`` the output is written to that array, which holds NaN before, and it is returned.
    Updates the running statistics in place when training and they are not None; changes nothing
    else. Over an ``immutable`` bridge it returns ``(output, saved, (running_mean, running_var))``
    instead, the new ones, which are read in training only.

    A function with threads of its own uses ``torch.get_num_threads()`` of them.
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
    ) -> tuple[Any, tuple[Any, ...]] | tuple[Any, tuple[Any, ...], tuple[Any, Any]]: ...


class Backward(Protocol):
    """The second of them: gradients from that of the output and from what the forward saved.

    ``grad_output`` has the output's shape and dtype, and any strides: a sum's gradient has stride
    0. Changes none of its arguments, since a graph that is kept is differentiated twice. Returns
    None for the gradients of absent operands. With ``out`` each gradient is written to the array in
    its place there, and these arrays are returned.
    """

    def __call__(
        self,
        grad_output: Any,
        saved: tuple[Any, ...],
        options: Options,
        out: Gradients | None = None,
    ) -> Gradients: ...


class Prepared(ABC):
    """One implementation, ready to do one phase of one problem any number of times.

    The same object is checked for correctness and timed: `arm`, any number of calls up to the
    number armed for, `synchronize`, `results`.
    """

    @abstractmethod
    def arm(self, calls: int) -> None:
        """Untimed: make what the next ``calls`` calls will consume (graphs for a backward, say),
        and set the running statistics back to the given ones.
        """

    @abstractmethod
    def __call__(self) -> None:
        """Timed: one call on native arrays, read anew, since their values change between calls."""

    @abstractmethod
    def synchronize(self) -> None:
        """Timed, once a sample: wait until all calls so far are done."""

    @abstractmethod
    def results(self) -> Results:
        """Untimed: the results of the last call."""


class Implementation(ABC):
    """One way to compute batch normalization, with no state of its own: copies of a model share it.

    What an entry point or a ``_target_`` names is called to make one, with the arguments that are
    given beside ``_target_``: a class of these, or a function that returns one.

    supports: the problems that it takes, as far as data can say it.
    deviations: conformance cases that it is known to fail, by name or glob.
    shares_memory: what `prepare` returns works on the memory of the given tensors, and sees them
        change in place, by which timed work is checked. With False the inputs may be copies: work
        that is kept instead of done is then found less surely.
    """

    supports: Supports = Supports()
    deviations: Mapping[str, Deviation] = MappingProxyType({})
    shares_memory: bool = True

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __str__(self) -> str:
        """The name in messages."""
        return type(self).__name__

    def unsupported(self, problem: Problem, phase: Phase, device: str) -> str | None:
        """Why this cannot be done, in a sentence for the report; None when it can.

        ``device`` is "cpu" or "cuda". Asked only about problems that ``supports`` admits, so it
        says what those data cannot.
        """
        return None

    @abstractmethod
    def layer(self, problem: Problem) -> Layer:
        """The layer for a problem, which `batch_norm` asks for once a problem and keeps. Compilers
        specialize it.
        """

    @abstractmethod
    def prepare(
        self, problem: Problem, phase: Phase, *, face: Face, outputs: Outputs, arrays: Arrays
    ) -> Prepared:
        """Convert, compile, allocate. The result works on the memory of ``arrays``, unless
        ``shares_memory`` is False, and copies only the running statistics. Raises ``Unsupported``
        where this face cannot write to such outputs.
        """


def refusal(
    implementation: Implementation, problem: Problem, phase: Phase, device: str
) -> str | None:
    """Why an implementation refuses a problem, by its data or else by its own words; None when it
    does not.
    """
    reason = implementation.supports.refusal(problem, phase, device)
    return implementation.unsupported(problem, phase, device) if reason is None else reason


def call_once(prepared: Prepared) -> Prepared:
    """Make one untimed call and wait until it is done; ``prepared`` itself, for its results."""
    prepared.arm(1)
    prepared()
    prepared.synchronize()
    return prepared
