"""Batch norm, residual and ReLU in one on the CPU, by C++ that moves the least bytes it can.

Read `native/`: `forward_kernels.cpp` and `backward_kernels.cpp` have the formulas and traverse the
data, `pipeline.hpp` schedules threads and blocks, `forward.cpp` and `backward.cpp` compute
coefficients from sums, `blocking.cpp` fits all to caches and threads. Here are its face to autograd
and torch.compile, and what it supports.
"""

from __future__ import annotations

from implementations.adapters import from_functions
from implementations.fused_cpu.kernels import backward, forward
from implementations.fused_cpu.layer import layer
from implementations.fused_cpu.library import native
from implementations.interface import Supports

# `native` raises `Unavailable` where the C++ was not built, or has no path for this machine.
FusedCpu = from_functions(
    forward,
    backward,
    layer=layer,
    supports=Supports(devices=("cpu",)),
    require=native,
    name="fused_cpu",
)
