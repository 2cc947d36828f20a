"""What is refused of PyTorch where it would be wrong in silence, or fail without a remedy: second
derivatives, transforms, tangents, ONNX, recording and tracing.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch.autograd import forward_ad

from implementations.interface import Unsupported


def refuse_graph_of_gradient(name: str) -> None:
    """Raises RuntimeError in a backward where a graph of the gradients is asked for: autograd
    enables gradients there for ``create_graph`` alone.

    `torch.autograd.function.once_differentiable` is not enough: its error comes only where the
    output's gradient requires one itself. Otherwise it returns gradients that look constant, and
    a gradient penalty loses its own gradient in silence.
    """
    if torch.is_grad_enabled():
        raise RuntimeError(
            f"{name} has no second derivatives, and create_graph=True asks for them; leave it out, "
            "or use implementation='torch_native' or 'torch_unfused', which have them"
        )


def refuse_transforms(name: str) -> None:
    """Raises NotImplementedError inside a transform of torch.func's."""
    if torch._C._functorch.peek_interpreter_stack() is not None:
        raise NotImplementedError(
            f"{name} has no rule for torch.func's vmap, grad and other transforms; use "
            "torch.autograd, or implementation='torch_unfused' there"
        )


def refuse_tangents(name: str, operands: Iterable[torch.Tensor | None]) -> None:
    """Raises NotImplementedError, as a function of autograd's does, for an operand with a tangent:
    without a gradient enabled, operators lose it in silence.
    """
    given = [operand for operand in operands if operand is not None]
    duals = map(forward_ad.unpack_dual, given)
    if any(dual.tangent is not None for dual in duals):
        raise NotImplementedError(
            f"{name} has no forward-mode derivatives; use implementation='torch_unfused' there"
        )


def refuse_onnx_export(name: str) -> None:
    """Raises ``Unsupported`` inside `torch.onnx.export`."""
    if torch.onnx.is_in_onnx_export():
        raise Unsupported(
            f"{name} has no operators in ONNX; export convert(model, 'torch_native'), which "
            "computes the same on the same weights"
        )


def refuse_fx_tracing(input: object) -> None:
    """Raises ``Unsupported`` for what `torch.fx` puts in the place of a tensor."""
    if isinstance(input, torch.fx.Proxy):
        raise Unsupported(
            "torch.fx cannot trace inside of bnbench's BatchNorm: trace or fuse the model before "
            "convert, or give a Tracer whose is_leaf_module is true for it"
        )


def refuse_recording(name: str) -> None:
    """Raises ``Unsupported`` where PyTorch's operators are recorded, as by `make_fx` and
    `torch.export`: what another library computes would be kept as a constant. Dynamo and
    `torch.jit.trace` keep the call itself, and are refused inside `torch.onnx.export` alone.
    """
    if torch.compiler.is_dynamo_compiling():
        return
    kinds = torch._C._TorchDispatchModeKey
    modes = [torch._C._get_dispatch_mode(kind) for kind in (kinds.PROXY, kinds.FAKE)]
    is_recorded = any(mode is not None for mode in modes)
    if is_recorded or torch._C._is_tracing():
        refuse_onnx_export(name)
    if is_recorded:
        raise Unsupported(
            f"{name} computes outside of PyTorch, so that no graph can hold it; record or export "
            "convert(model, 'torch_native'), which computes the same on the same weights"
        )
