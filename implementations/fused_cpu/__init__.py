"""Batch norm, residual and ReLU in one on the CPU, by C++ that moves the least bytes it can.

Read `native/`: `forward_kernels.cpp` and `backward_kernels.cpp` have the formulas and traverse the
data, `pipeline.hpp` schedules threads and blocks, `forward.cpp` and `backward.cpp` compute
coefficients from sums, `blocking.cpp` fits all to caches and threads. Here are its face to autograd
and torch.compile, and its refusals.
"""

from __future__ import annotations

from implementations.adapters import prepare_with
from implementations.fused_cpu.kernels import backward, forward
from implementations.fused_cpu.layer import layer
from implementations.fused_cpu.library import native
from implementations.interface import (
    Arrays,
    Face,
    Implementation,
    Layer,
    Outputs,
    Phase,
    Prepared,
    Problem,
)


class FusedCpu(Implementation):
    """Raises ``Unavailable`` where its C++ was not built, or has no path for this machine."""

    runtime = "torch"  # it shares torch's threads and memory

    def __init__(self) -> None:
        native()

    def unsupported(self, problem: Problem, phase: Phase, device: str) -> str | None:
        return None if device == "cpu" else f"it computes on the CPU, not on {device}"

    def layer(self, problem: Problem) -> Layer:
        return layer

    def prepare(
        self, problem: Problem, phase: Phase, *, face: Face, outputs: Outputs, arrays: Arrays
    ) -> Prepared:
        return prepare_with(
            face, layer, forward, backward, problem, phase, outputs=outputs, arrays=arrays
        )
