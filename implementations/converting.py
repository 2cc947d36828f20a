"""`convert`: a model whose batch norms are computed by another implementation, on the same weights and buffers."""

from __future__ import annotations

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from implementations import fusing, registry
from implementations.interface import Implementation
from implementations.module import BatchNorm

Specification = registry.Specification | Implementation


def convert(model: nn.Module, implementation: Specification, *, fuse: bool = False) -> nn.Module:
    """Replace every batch norm of ``model``, in place but for one that is itself the model, and return it.

    Parameters, buffers, hooks and whatever else was set on a batch norm are the very same, so that an optimizer goes on with
    them. `SyncBatchNorm` is left as it is: its statistics are of several processes.

    ``fuse`` also draws a following ReLU into the batch norm, and an addition between them as its residual, wherever nobody
    else sees what comes in between and nothing is changed in place there. That takes a model that `torch.fx.symbolic_trace`
    can follow, with what that cannot see: ``no_grad`` and ``autocast`` inside of it are lost, and what it makes of its own
    ``training`` is settled. It returns the `GraphModule` that tracing makes. The model keeps its own batch norms, and shares
    with the result their parameters and buffers, and all other modules as they are, their mode included.

    Tools that go by type, such as `fuse_conv_bn_eval` and `nn.SyncBatchNorm.convert_sync_batchnorm`, take a fused batch norm
    for a plain one and drop its ReLU and residual: run them before.

    Raises ``Unavailable`` where the implementation cannot be loaded, and what `symbolic_trace` raises where it cannot follow
    the model, which is then as it was before.
    """
    twins = {module: _twin(module, implementation) for module in model.modules()
             if isinstance(module, _BatchNorm) and not isinstance(module, nn.SyncBatchNorm)}
    return fusing.fused(model, twins) if fuse and not isinstance(model, _BatchNorm) else _replaced(model, twins)


def _twin(old: _BatchNorm, implementation: Specification) -> BatchNorm:
    """Another module of the same state: the dictionaries of parameters, buffers and hooks are shared, handles go on working."""
    new = BatchNorm(1, implementation=implementation, device="meta")
    vars(new).update({name: value for name, value in vars(old).items() if name not in ("implementation", "_resolved")})
    return new


def _replaced(model: nn.Module, twins: fusing.Twins) -> nn.Module:
    for module in list(model.modules()):
        for name, child in module._modules.items():  # `named_children` would give a shared one once only
            if child in twins:
                module._modules[name] = twins[child]
    return twins.get(model, model)
