"""The layer: the kernels by way of autograd, or as opaque operators where PyTorch records calls.

In eager mode a function of autograd's own is called, which costs less than an operator. What
records calls or gives tensors another meaning (torch.compile, torch.jit.trace, modes and subclasses
that dispatch) gets operators.
"""

from __future__ import annotations

import torch
from torch.autograd import forward_ad

from implementations.fused_cpu import kernels, operators
from implementations.fused_cpu.autograd import FusedFunction
from implementations.interface import Options
from implementations.refusals import refuse_tangents, refuse_transforms

Tensor = torch.Tensor
# of operands whose data are where their address says, and of absent ones
PLAIN = frozenset((Tensor, torch.nn.Parameter, type(None)))


def layer(
    input: Tensor,
    residual: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    options: Options,
) -> Tensor:
    operands = (input, residual, weight, bias, running_mean, running_var)
    is_compiling = torch.compiler.is_compiling()
    if is_compiling or _needs_dispatcher(operands):
        if not is_compiling and forward_ad._current_level >= 0:
            refuse_tangents("fused_cpu", operands)
        return operators.layer(input, residual, weight, bias, running_mean, running_var, options)
    # Forward mode has tangents without a gradient being enabled; the function refuses them.
    if not torch.is_grad_enabled() and forward_ad._current_level < 0:
        return kernels.infer(input, residual, weight, bias, running_mean, running_var, options)
    output: Tensor = FusedFunction.apply(  # type: ignore[no-untyped-call]
        input, residual, weight, bias, running_mean, running_var, options
    )
    return output


def _needs_dispatcher(operands: tuple[Tensor | None, ...]) -> bool:
    """Whether a call has to go through PyTorch's dispatcher: calls of kernels that take addresses
    cannot be recorded, and not every tensor has an address.

    Raises NotImplementedError inside a transform of torch.func's: the kernels have no rule for it.
    """
    refuse_transforms("fused_cpu")
    return (
        not PLAIN.issuperset(map(type, operands))
        or torch._C._len_torch_dispatch_stack() > 0
        or torch._C._is_tracing()
    )
