"""PyTorch's batch norm through `torch.compile`: Inductor fuses it with the residual and the ReLU into C++ or Triton.

Each problem gets its own compiled function, with ``fullgraph``: one function for all would recompile silently, and fall
back to eager after eight shapes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from implementations import torch_native
from implementations.interface import (
    Arrays,
    Face,
    Implementation,
    Layer,
    Outputs,
    Phase,
    Prepared,
    Problem,
    Unsupported,
)
from implementations.preparing import prepare_with

PROGRAMS = {"a C++ compiler": ("c++", "g++", "clang++")}

# Seen in PyTorch 2.13: torch/_decomp/decompositions.py, native_batch_norm_helper, casts save_mean and save_rstd.
SAVED_NARROW = ("on the CPU its decomposition saves the batch's mean and 1/std in the data's dtype, "
                "so that float32 gradients come out as rough as {dtype}")


class TorchCompiled(Implementation):
    runtime = "torch"

    def unsupported(self, problem: Problem, phase: Phase, device: str) -> str | None:
        mixed = problem.dtype != problem.parameter_dtype
        if mixed and phase.training and phase.has_backward and device == "cpu":
            return SAVED_NARROW.format(dtype=problem.dtype)
        return None

    def layer(self, problem: Problem) -> Layer:
        return compiled(torch_native.layer)

    def prepare(self, problem: Problem, phase: Phase, *, face: Face, outputs: Outputs, arrays: Arrays) -> Prepared:
        if face == "kernel" and outputs == "reused":
            raise Unsupported("a compiled function returns fresh outputs")
        return prepare_with(face, self.layer(problem), compiled(torch_native.forward), compiled(torch_native.backward),
                            problem, phase, outputs=outputs, arrays=arrays)


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a copy of ``function`` of its own, so that problems do not share a cache of specializations."""

    def own(*arguments: Any, **keywords: Any) -> Any:
        return function(*arguments, **keywords)

    # Dynamo keys its cache by code object: a fresh one for each problem keeps the eight-shape limit out of reach.
    own.__code__ = own.__code__.replace(co_name=f"{function.__name__}")
    return torch.compile(own, fullgraph=True, dynamic=False)
