"""The kernels as a function of autograd's: the layer in eager mode."""

from __future__ import annotations

from typing import Any

import torch

from implementations.fused_cpu import kernels, operators
from implementations.interface import Options
from implementations.refusals import refuse_graph_of_gradient

Tensor = torch.Tensor


class FusedFunction(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        input: Tensor,
        residual: Tensor | None,
        weight: Tensor | None,
        bias: Tensor | None,
        running_mean: Tensor | None,
        running_var: Tensor | None,
        options: Options,
    ) -> Tensor:
        output, saved = kernels.forward(
            input, residual, weight, bias, running_mean, running_var, options
        )
        # Autograd refuses a backward after what was saved has changed, so a bias that the backward
        # does not read is kept beside it.
        reads_bias = options.activation is not None and saved.mask is None
        ctx.save_for_backward(
            saved.input,
            saved.mask,
            saved.weight,
            saved.bias if reads_bias else None,
            saved.statistics,
        )
        hooked = torch._C._autograd._top_saved_tensors_default_hooks(True) is not None
        ctx.rest = (
            None if reads_bias else saved.bias,
            saved.residual,
            options,
            [
                _format(saved.input),
                _format(saved.mask),
                _format(saved.weight),
                _format(saved.bias),
                _format(saved.statistics),
            ]
            if hooked
            else None,
        )
        return output

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Any, ...]:
        refuse_graph_of_gradient("fused_cpu")
        return _differentiate(ctx, grad_output)


def _differentiate(ctx: Any, grad_output: Tensor) -> tuple[Any, ...]:
    remembered, residual, options, formats = ctx.rest
    kept = (
        ctx.saved_tensors if formats is None else map(_restore_format, ctx.saved_tensors, formats)
    )
    input, mask, weight, bias, statistics = kept
    bias = remembered if bias is None else bias
    # Only a plain tensor's values lie at its address.
    compute = kernels.backward if type(grad_output) is Tensor else operators.backward
    saved = (input, mask, weight, bias, statistics, residual)
    return (*compute(grad_output, saved, options), None, None, None)


Format = tuple[torch.dtype, tuple[int, ...]]


def _format(tensor: Tensor | None) -> Format | None:
    return None if tensor is None else (tensor.dtype, tensor.stride())


def _restore_format(tensor: Tensor | None, format: Format | None) -> Any:
    """The tensor in the dtype and with the strides that it was saved with: a hook on saved tensors
    may have changed them.
    """
    if tensor is None or format is None or (tensor.dtype, tensor.stride()) == format:
        return tensor
    dtype, strides = format
    restored = torch.empty_strided(tensor.shape, strides, dtype=dtype, device="cpu")
    return restored.copy_(tensor)
