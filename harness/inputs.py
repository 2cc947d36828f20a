"""The operands of a problem, drawn from NumPy's PCG64: the same on every machine.

Each operand has a stream of its own, spawned from the seed, so that a problem with a residual and one without share
everything else.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.random import PCG64, Generator, SeedSequence
from numpy.typing import NDArray

from implementations.functional import CHANNELS_LAST
from implementations.interface import Arrays, Problem

STREAMS = ("input", "grad_output", "residual", "weight", "bias", "running_mean", "running_var")  # append only


def make_arrays(problem: Problem, seed: int, *, mean: float = 0.0, scale: float = 1.0, device: str = "cpu") -> Arrays:
    """Operands in the problem's dtypes and memory format, a function of ``seed``.

    The input is normal with the given mean and standard deviation, and the running statistics are drawn to suit it. The
    output's gradient and the residual are standard normal, the weight is uniform in [0.5, 1.5), the bias normal with
    deviation 0.5.
    """
    seeds = SeedSequence(seed).spawn(len(STREAMS))
    draw = {name: Generator(PCG64(own)) for name, own in zip(STREAMS, seeds, strict=True)}
    count = problem.channels

    def parameter(values: NDArray[np.float64]) -> torch.Tensor:
        return torch.from_numpy(values).to(device, getattr(torch, str(problem.parameter_dtype)))

    return Arrays(
        input=_normal(draw["input"], problem, mean, scale).to(device),
        grad_output=_normal(draw["grad_output"], problem).to(device),
        residual=_normal(draw["residual"], problem).to(device) if problem.residual else None,
        weight=parameter(draw["weight"].uniform(0.5, 1.5, count)) if problem.weight else None,
        bias=parameter(draw["bias"].normal(0.0, 0.5, count)) if problem.bias else None,
        running_mean=parameter(draw["running_mean"].normal(mean, scale, count)),
        running_var=parameter(draw["running_var"].uniform(0.5, 1.5, count) * scale**2),
    )


def _normal(generator: Generator, problem: Problem, mean: float = 0.0, scale: float = 1.0) -> torch.Tensor:
    """Normal values of the problem's shape, rounded once to its dtype. float32 is drawn at twice float64's speed."""
    drawn: NDArray[np.float32] | NDArray[np.float64] = (
        generator.standard_normal(problem.shape) if problem.dtype == "float64"
        else generator.standard_normal(problem.shape, dtype=np.float32))
    drawn *= scale
    drawn += mean
    layout = CHANNELS_LAST[len(problem.shape)] if problem.memory_format == "channels_last" else torch.contiguous_format
    return torch.from_numpy(drawn).to(getattr(torch, problem.dtype), memory_format=layout)
