"""A model as a `torch.fx` graph that keeps changes in place, hooks, modes and buffers, and leaves
the model as it was.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partialmethod
from typing import Any

from torch import fx, nn
from torch.nn.modules.batchnorm import _BatchNorm

IN_PLACE = (
    "iadd",
    "iand",
    "ifloordiv",
    "ilshift",
    "imatmul",
    "imod",
    "imul",
    "ior",
    "ipow",
    "irshift",
    "isub",
    "itruediv",
)
HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


def trace(model: nn.Module) -> fx.GraphModule:
    """The model's graph. Raises what `torch.fx.symbolic_trace` raises where it cannot follow."""
    with _unchanged(model):
        traced = fx.GraphModule(model, _Tracer().trace(model))
    # `GraphModule` makes new containers, in training mode, of persistent buffers
    for name, module in traced.named_modules():
        original = model.get_submodule(name)
        module.training = original.training
        module._non_persistent_buffers_set |= (
            original._non_persistent_buffers_set & module._buffers.keys()
        )
    hooks = _hook_attributes()
    vars(traced).update({name: value for name, value in vars(model).items() if name in hooks})
    return traced


def change_(name: str, left: Any, right: Any) -> Any:
    """``left += right`` and the like, as a call of a function in a graph: `operator.iadd` itself
    would be printed as a statement, which rebinds a number.
    """
    return getattr(operator, name)(left, right)


def _record(proxy: fx.Proxy, name: str, other: Any) -> fx.Proxy:
    return proxy.tracer.create_proxy("call_function", change_, (name, proxy, other), {})


# PyTorch's own proxy takes ``a += b`` for ``a = a + b``, so that other uses of a would not see the
# change.
_Proxy = type(
    "_Proxy", (fx.Proxy,), {f"__{name}__": partialmethod(_record, name) for name in IN_PLACE}
)


class _Tracer(fx.Tracer):
    # Otherwise what the model computes of a buffer would be computed now, and kept as a constant.
    proxy_buffer_attributes = True

    def proxy(self, node: fx.Node) -> fx.Proxy:
        made: fx.Proxy = _Proxy(node, self)
        return made

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        # A hook on a module that is traced into would be called now, on no tensors, and never
        # again.
        return (
            isinstance(m, _BatchNorm)
            or is_hooked(m)
            or super().is_leaf_module(m, module_qualified_name)
        )


@contextmanager
def _unchanged(model: nn.Module) -> Iterator[None]:
    """Set all attributes back afterwards: tracing runs the model's own code, and keeps constants on
    it.
    """
    before = [(module, dict(vars(module))) for module in model.modules()]
    try:
        yield
    finally:
        for module, attributes in before:
            vars(module).clear()
            vars(module).update(attributes)


def _hook_attributes() -> set[str]:
    return {
        name
        for name in vars(nn.Module())
        if "_hook" in name and name.startswith(("_forward", "_backward", "_is_full"))
    }


def is_hooked(module: nn.Module) -> bool:
    """Whether a hook sees what goes into the module or comes out of it."""
    return any(getattr(module, name) for name in HOOKS)
