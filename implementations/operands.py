"""What goes into a call of an implementation beside the problem, and what comes out.

This module imports no array library, so that a listing of implementations costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import torch


class Options(NamedTuple):
    """The arguments of one call that are not arrays.

    ``training`` asks for the mini-batch's statistics instead of the running ones; ``momentum`` is
    the weight of this batch in the running statistics and may differ from call to call;
    ``activation`` is None or "relu". ``backward_follows`` says that a backward may follow; where it
    is False nobody reads what a forward saves, which may then be ``()``.
    """

    training: bool
    momentum: float = 0.1
    eps: float = 1e-5
    activation: str | None = None
    backward_follows: bool = True


@dataclass(frozen=True)
class Arrays:
    """The operands of one problem as torch tensors.

    ``input``, ``grad_output`` and ``residual`` have the problem's shape, dtype and memory format;
    the others are of shape (C,) and ``parameter_dtype``. An implementation that would change one
    of them has to copy it first.
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

    @property
    def operands(self) -> tuple[torch.Tensor | None, ...]:
        """Those that have gradients, in the order of `Gradients`."""
        return (self.input, self.residual, self.weight, self.bias)


class Gradients(NamedTuple):
    """Gradients by their operand's name, as arrays of the library's own kind, None for absent
    operands. Each has the shape and dtype of its operand.
    """

    input: Any
    residual: Any
    weight: Any
    bias: Any


@dataclass(frozen=True)
class Results:
    """The results of one call, as torch tensors. A phase without a backward has no gradients.

    ``output`` is also given by the backward phases: it is the forward's that the gradients belong
    to. The statistics are copies of the running ones as they are after the call.
    """

    output: torch.Tensor
    running_mean: torch.Tensor
    running_var: torch.Tensor
    grad_input: torch.Tensor | None = None
    grad_residual: torch.Tensor | None = None
    grad_weight: torch.Tensor | None = None
    grad_bias: torch.Tensor | None = None
