"""PyTorch's batch norm through `torch.compile`: Inductor fuses it with the residual and the ReLU
into C++ or Triton.

Each problem gets its own compiled function, with ``fullgraph``: one function for all would
recompile silently, and fall back to eager after eight shapes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import torch

from implementations.adapters import prepare_with
from implementations.builtin import torch_native
from implementations.interface import (
    Arrays,
    Face,
    Implementation,
    Layer,
    Options,
    Outputs,
    Phase,
    Prepared,
    Problem,
    Unsupported,
)

Tensor = torch.Tensor
Answer = TypeVar("Answer")
PROGRAMS = {"a C++ compiler": ("c++", "g++", "clang++")}

# Seen in PyTorch 2.13: torch/_decomp/decompositions.py, native_batch_norm_helper, casts save_mean
# and save_rstd.
SAVED_NARROW = (
    "on the CPU its decomposition saves the batch's mean and 1/std in the data's dtype, "
    "so that float32 gradients come out as rough as {dtype}"
)


class TorchCompiled(Implementation):
    runtime = "torch"

    def unsupported(self, problem: Problem, phase: Phase, device: str) -> str | None:
        mixed = problem.dtype != problem.parameter_dtype
        if mixed and phase.training and phase.has_backward and device == "cpu":
            return SAVED_NARROW.format(dtype=problem.dtype)
        return None

    def layer(self, problem: Problem) -> Layer:
        return steady_layer()

    def prepare(
        self, problem: Problem, phase: Phase, *, face: Face, outputs: Outputs, arrays: Arrays
    ) -> Prepared:
        if face == "kernel" and outputs == "reused":
            raise Unsupported("a compiled function returns fresh outputs")
        return prepare_with(
            face,
            self.layer(problem),
            compiled(torch_native.forward),
            compiled(torch_native.backward),
            problem,
            phase,
            outputs=outputs,
            arrays=arrays,
        )


def steady_layer() -> Layer:
    """A compiled layer for any momentum: a constant to the compiler, so that each new one would be
    compiled anew.

    The first momentum seen is compiled in. With another one, as a cumulative average has at each
    batch, the compiled code writes the batch's statistics down, and the running ones are moved
    outside it.
    """
    usual, any_other = compiled(torch_native.layer), compiled(torch_native.layer)
    first: list[float] = []

    def layer(
        input: Tensor,
        residual: Tensor | None,
        weight: Tensor | None,
        bias: Tensor | None,
        running_mean: Tensor | None,
        running_var: Tensor | None,
        options: Options,
    ) -> Tensor:
        if not options.training or running_mean is None or running_var is None:
            options = options._replace(momentum=0.0)
            return usual(input, residual, weight, bias, running_mean, running_var, options)
        if options.momentum == (first or [options.momentum])[0]:
            first[:] = [options.momentum]
            return usual(input, residual, weight, bias, running_mean, running_var, options)
        mean, var = torch.zeros_like(running_mean), torch.zeros_like(running_var)
        output = any_other(input, residual, weight, bias, mean, var, options._replace(momentum=1.0))
        running_mean.lerp_(mean, options.momentum)
        running_var.lerp_(var, options.momentum)
        return output

    return layer


def compiled(function: Callable[..., Answer]) -> Callable[..., Answer]:
    """Compile a copy of ``function`` of its own, so that problems do not share a cache of
    specializations.
    """

    def own(*arguments: Any, **keywords: Any) -> Answer:
        return function(*arguments, **keywords)

    # Dynamo keys its cache by code object: a fresh one for each problem keeps the eight-shape limit
    # out of reach.
    own.__code__ = own.__code__.replace(co_name=function.__name__)
    return torch.compile(own, fullgraph=True, dynamic=False)
