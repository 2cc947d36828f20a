"""`convert`: a model whose batch norms are computed by another implementation, on the same weights
and buffers.
"""

from __future__ import annotations

import warnings

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.lazy import LazyModuleMixin

from implementations import fx_fusion, registry
from implementations.interface import Implementation
from implementations.module import BatchNorm

Specification = registry.Specification | Implementation
REPLACEABLE = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, BatchNorm)
STATE = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
OURS = ("implementation", "_resolved", "activation")
PROPERTIES = ("eps",)  # of ours, over an attribute that every batch norm has


def convert(model: nn.Module, implementation: Specification, *, fuse: bool = False) -> nn.Module:
    """Replace every batch norm of ``model``, in place but for one that is itself the model, and
    return it.

    Parameters, buffers, hooks and whatever else was set on a batch norm are the same objects
    afterwards, so that an optimizer goes on with them. Batch norms of another class than
    `nn.BatchNorm1d`, `2d`, `3d` and bnbench's `BatchNorm`, and those with state that cannot be
    handed over, are left as they are; one warning names each of them with the reason.

    With ``fuse`` a batch norm also computes the ReLU that follows it, and an addition between them
    as its residual, wherever nothing else uses what comes between and nothing is changed in place
    there. The model has to be one that `torch.fx.symbolic_trace` can follow, and loses what that
    cannot see: ``no_grad`` and ``autocast`` inside of it, and branches on its own ``training``,
    which keep the way of the mode that it is traced in. What is returned is the `GraphModule` that
    tracing makes. The model keeps its own batch norms, and shares with the result their parameters
    and buffers, and all other modules as they are, their mode included.

    Tools that put something else in the place of a batch norm, such as `fuse_conv_bn_eval` and
    `nn.SyncBatchNorm.convert_sync_batchnorm`, would drop the ReLU and the residual of a fused one:
    it refuses to tell them its ``eps``. Run them before.

    Raises TypeError where ``model`` is no module, ``Unavailable`` where the implementation cannot
    be loaded, and what `symbolic_trace` raises where it cannot follow the model, which is then as
    it was before.
    """
    if not isinstance(model, nn.Module):
        raise TypeError(
            f"the model is of type {type(model).__name__}; allowed: a torch.nn.Module, which "
            "nn.Sequential(*layers) makes of a list"
        )
    converted, left = _converted(model, implementation, fuse)
    if left:
        warnings.warn(f"convert leaves batch norms as they are: {'; '.join(left)}", stacklevel=2)
    return converted


def _converted(
    model: nn.Module, implementation: Specification, fuse: bool
) -> tuple[nn.Module, list[str]]:
    """The converted model, and each batch norm that is left as it is, with the reason."""
    found = {
        name: module for name, module in model.named_modules() if isinstance(module, _BatchNorm)
    }
    reasons = {
        name: _reason_by_class(module) or _reason_by_state(module) for name, module in found.items()
    }
    twins = {
        module: _twin(module, implementation)
        for name, module in found.items()
        if reasons[name] is None
    }
    if not fuse or isinstance(model, _BatchNorm):
        converted = _replaced(model, twins)
    else:
        converted = fx_fusion.fuse(model, twins)
        kept = twins.keys() & set(converted.modules())
        reasons |= {
            name: "it is inside a module that tracing does not enter"
            for name in found
            if found[name] in kept
        }
    return converted, [
        f"{name or 'the model'} ({type(found[name]).__name__}): {reason}"
        for name, reason in reasons.items()
        if reason is not None
    ]


def _reason_by_class(module: _BatchNorm) -> str | None:
    if isinstance(module, nn.SyncBatchNorm):
        return "its statistics are of several processes"
    if isinstance(module, LazyModuleMixin):
        return "it has no parameters yet; call the model once, then convert it"
    return (
        None if type(module) in REPLACEABLE else "it is of a class that may compute something else"
    )


def _reason_by_state(module: _BatchNorm) -> str | None:
    """What cannot be handed over to another module."""
    computed = [name for name in STATE if name in vars(module)]
    if computed:
        return (
            f"its {computed[0]} is computed anew for each call, as pruning and weight "
            "normalization do"
        )
    if module._load_state_dict_pre_hooks:
        return "it has a hook on loading, which refers to it"
    needed = () if type(module) is BatchNorm else OURS
    for name in (*vars(module), *module._parameters, *module._buffers, *module._modules):
        if name in needed or (name not in PROPERTIES and hasattr(BatchNorm, name)):
            return f"it has an attribute {name} of its own"
    return None


def _twin(old: _BatchNorm, implementation: Specification) -> BatchNorm:
    """Another module of the same state: the dictionaries of parameters, buffers and hooks are
    shared, handles go on working.
    """
    new = BatchNorm(1, implementation=implementation, device="meta")
    vars(new).update(
        {
            name: value
            for name, value in vars(old).items()
            if name not in ("implementation", "_resolved")
        }
    )
    return new


def _replaced(model: nn.Module, twins: fx_fusion.Twins) -> nn.Module:
    for module in list(model.modules()):
        # `named_children` would give a shared one once only
        for name, child in module._modules.items():
            if child in twins:
                module._modules[name] = twins[child]
    return twins.get(model, model)
