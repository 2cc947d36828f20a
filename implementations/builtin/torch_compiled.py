"""PyTorch's batch norm through `torch.compile`: Inductor fuses it with the residual and the ReLU
into C++ or Triton.

Each problem gets its own compiled function, with ``fullgraph``: one function for all would
recompile silently, and fall back to eager after eight shapes.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar

import torch

from implementations.adapters import from_functions
from implementations.builtin import torch_native
from implementations.interface import Deviation, Layer, Options, Phase, Problem
from implementations.prepared import Functions

Tensor = torch.Tensor
Returned = TypeVar("Returned")
PROGRAMS = {"a C++ compiler": ("c++", "g++", "clang++")}

# Seen in PyTorch 2.13: torch/_decomp/decompositions.py, native_batch_norm_helper, casts save_mean
# and save_rstd.
SAVED_NARROW = (
    "on the CPU its decomposition saves the batch's mean and 1/std in the data's dtype, "
    "so that float32 gradients come out as rough as {dtype}"
)
DEVIATIONS = {
    "repeats/graph_kept": Deviation(
        "a compiled backward frees what the forward saved for it (donated buffers), so its graph "
        "serves one backward; PyTorch raises a clear error, and donated_buffer=False keeps the "
        "graph",
        "torch/_functorch/config.py",
        ("the second backward",),
    )
}


def unsupported(problem: Problem, phase: Phase, device: str) -> str | None:
    mixed = problem.dtype != problem.parameter_dtype
    if mixed and phase.training and phase.has_backward and device == "cpu":
        return SAVED_NARROW.format(dtype=problem.dtype)
    return None


def compiled_functions(functions: Functions) -> Functions:
    """The functions compiled anew. Nothing is compiled before their first call; inside of a
    function that is being compiled they stay as they are, and are compiled as part of it.
    """
    if torch.compiler.is_dynamo_compiling():
        return functions
    forward, backward = compiled(functions.forward), functions.backward
    return Functions(
        forward, None if backward is None else compiled(backward), steady_layer(functions.layer)
    )


def steady_layer(plain: Layer) -> Layer:
    """The layer, compiled, for any momentum, which is a constant to the compiler.

    The first momentum seen is compiled in. With another one, as a cumulative average has at each
    batch, compiled code with momentum 1 gives the batch's statistics, and the running ones are
    updated outside it: compiling anew for each momentum would end in eager mode after eight.
    """
    usual, any_other = compiled(plain), compiled(plain)
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


def compiled(function: Callable[..., Returned]) -> Callable[..., Returned]:
    """A copy of ``function``, compiled: problems must not share a cache of specializations."""

    def own(*arguments: Any, **keywords: Any) -> Returned:
        return function(*arguments, **keywords)

    # Dynamo keys its cache by code object: a fresh one for each problem keeps the eight-shape limit
    # out of reach.
    own.__code__ = own.__code__.replace(co_name=function.__name__)
    return torch.compile(own, fullgraph=True, dynamic=False)


def import_compiler() -> None:
    """PyTorch does with the first call, which takes two seconds; so with the implementation."""
    import_module("torch._inductor.compile_fx")


TorchCompiled = from_functions(
    torch_native.forward,
    torch_native.backward,
    layer=torch_native.layer,
    deviations=DEVIATIONS,
    unsupported=unsupported,
    fresh_outputs_only=dict.fromkeys(Phase, "a compiled function returns fresh outputs"),
    specialize=compiled_functions,
    require=import_compiler,
    name="torch_compile",
)
