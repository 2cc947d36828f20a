"""The operands of a problem, drawn from NumPy's PCG64: the same on every machine.

Each operand has a stream of its own, spawned from the seed, so that a problem with a residual and
one without share everything else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.random import PCG64, Generator, SeedSequence
from numpy.typing import NDArray

from harness.config.choices import Inputs
from implementations.interface import Arrays, Problem
from implementations.torch_formats import CHANNELS_LAST

Distribution = Literal["normal", "rectified", "ternary"]


@dataclass(frozen=True)
class InputKind:
    """How the input is drawn. ``scale`` None: a hundredth of the dtype's smallest normal number."""

    distribution: Distribution = "normal"
    mean: float = 0.0  # in units of ``scale``
    scale: float | None = 1.0


INPUTS: Mapping[Inputs, InputKind] = {  # that speed is measured on, by name
    "normal": InputKind(),
    "rectified": InputKind("rectified"),
    "large_mean": InputKind(mean=100.0),
    "denormal": InputKind(scale=None),
}
# Each has its place in the spawned seeds, so names are only ever appended.
STREAMS = ("input", "grad_output", "residual", "weight", "bias", "running_mean", "running_var")
Values = NDArray[np.float64] | NDArray[np.float32]


@dataclass(frozen=True)
class LayerParameters:
    """Values of shape (C,) before they are rounded to the parameters' dtype."""

    weight: NDArray[np.float64]
    bias: NDArray[np.float64]
    running_mean: NDArray[np.float64]
    running_var: NDArray[np.float64]


def make_arrays(
    problem: Problem,
    seed: int,
    *,
    distribution: Distribution = "normal",
    mean: float = 0.0,
    scale: float = 1.0,
    offset: int = 0,
    device: str = "cpu",
) -> Arrays:
    """Operands in the problem's dtypes and memory format, a function of ``seed``.

    The input is ``mean + scale · v``, and the running statistics are drawn to suit it.

    normal      v is standard normal, as are the output's gradient and the residual; the weight is
                uniform in [0.5, 1.5), the bias normal with deviation 0.5
    rectified   v is max(0, normal), as after a ReLU: half of it zeros
    ternary     in every channel three eighths of v are 1, as many -1 and the others 0, in random
                order, so that mean and variance, 3/4, are exact; gradient and residual are small
                whole numbers, parameters short fractions

    The arrays of the data begin ``offset`` elements past where an allocator put them. Raises
    ValueError for a ternary input whose channels are no multiple of eight values.
    """
    if distribution == "ternary" and problem.reduction % 8:
        raise ValueError(
            f"{problem} has {problem.reduction} values a channel; a ternary input needs a multiple "
            "of 8"
        )
    seeds = SeedSequence(seed).spawn(len(STREAMS))
    draw = {name: Generator(PCG64(own)) for name, own in zip(STREAMS, seeds, strict=True)}
    drawn = (_short if distribution == "ternary" else _normal)(draw, problem.channels, mean, scale)
    upstream = _whole if distribution == "ternary" else _standard_normal

    def data(values: Values) -> torch.Tensor:
        return _placed(torch.from_numpy(values), problem, offset, device)

    def parameter(values: NDArray[np.float64]) -> torch.Tensor:
        return torch.from_numpy(values).to(device, getattr(torch, str(problem.parameter_dtype)))

    x = _input(draw["input"], problem, distribution)
    x *= scale
    x += mean
    return Arrays(
        input=data(x),
        grad_output=data(upstream(draw["grad_output"], problem)),
        residual=data(upstream(draw["residual"], problem)) if problem.residual else None,
        weight=parameter(drawn.weight) if problem.weight else None,
        bias=parameter(drawn.bias) if problem.bias else None,
        running_mean=parameter(drawn.running_mean),
        running_var=parameter(drawn.running_var),
    )


def drawn(problem: Problem, seed: int, inputs: Inputs, *, device: str = "cpu") -> Arrays:
    """Operands whose input is one of ``INPUTS``."""
    kind, scale = INPUTS[inputs], INPUTS[inputs].scale
    if scale is None:
        scale = torch.finfo(getattr(torch, problem.dtype)).tiny / 100
    return make_arrays(
        problem, seed, distribution=kind.distribution, mean=kind.mean, scale=scale, device=device
    )


def shifted(tensor: torch.Tensor, offset: int) -> torch.Tensor:
    """The same values with the same strides, ``offset`` elements into memory of their own."""
    room = torch.empty(
        tensor.untyped_storage().nbytes() // tensor.element_size() + offset,
        dtype=tensor.dtype,
        device=tensor.device,
    )
    return room.as_strided(tensor.shape, tensor.stride(), offset).copy_(tensor)


def with_odd_strides(tensor: torch.Tensor) -> torch.Tensor:
    """The same values, dense with the channels innermost and the batch next to last: where sizes
    are 1 that is a layout which their strides do not tell from another.
    """
    space = list(range(2, tensor.dim()))
    order = [*space, 0, 1]
    back = [order.index(axis) for axis in range(tensor.dim())]
    return tensor.permute(order).contiguous().permute(back)


def _input(generator: Generator, problem: Problem, distribution: Distribution) -> Values:
    if distribution == "ternary":
        values = np.resize(
            np.array([1, -1, 0, 1, -1, 0, 1, -1], np.float32), (problem.channels, problem.reduction)
        )
        matrix = generator.permuted(values, axis=1).reshape(
            problem.channels, problem.shape[0], *problem.shape[2:]
        )
        return np.ascontiguousarray(np.moveaxis(matrix, 1, 0).reshape(problem.shape))
    drawn = _standard_normal(generator, problem)
    return np.maximum(drawn, 0, out=drawn) if distribution == "rectified" else drawn


def _standard_normal(generator: Generator, problem: Problem) -> Values:
    """float32 is drawn at twice float64's speed."""
    if problem.dtype == "float64":
        return generator.standard_normal(problem.shape)
    return generator.standard_normal(problem.shape, dtype=np.float32)


def _whole(generator: Generator, problem: Problem) -> Values:
    return generator.integers(-2, 3, problem.shape).astype(np.float32)


def _normal(draw: dict[str, Generator], count: int, mean: float, scale: float) -> LayerParameters:
    return LayerParameters(
        weight=draw["weight"].uniform(0.5, 1.5, count),
        bias=draw["bias"].normal(0.0, 0.5, count),
        running_mean=draw["running_mean"].normal(mean, scale, count),
        running_var=draw["running_var"].uniform(0.5, 1.5, count) * scale**2,
    )


def _short(draw: dict[str, Generator], count: int, mean: float, scale: float) -> LayerParameters:
    """Numbers of few bits, and a running variance that is the batch's."""
    return LayerParameters(
        weight=draw["weight"].choice([-2.0, -1.0, 0.5, 1.0, 2.0], count),
        bias=draw["bias"].integers(-4, 5, count) / 4,
        running_mean=mean + scale * draw["running_mean"].integers(-4, 5, count) / 4,
        running_var=np.full(count, 0.75 * scale**2),
    )


def _placed(values: torch.Tensor, problem: Problem, offset: int, device: str) -> torch.Tensor:
    """Values rounded once to the problem's dtype, in its memory format, ``offset`` elements into
    memory of their own.
    """
    layout = (
        CHANNELS_LAST[len(problem.shape)]
        if problem.memory_format == "channels_last"
        else torch.contiguous_format
    )
    tensor = values.to(getattr(torch, problem.dtype), memory_format=layout).to(device)
    # Copied even for offset 0: PyTorch aligns memory to cache lines, NumPy does not always.
    return shifted(tensor, offset)
