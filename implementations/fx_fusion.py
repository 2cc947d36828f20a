"""A traced model, with the ReLU that follows a batch norm drawn into it, and an addition between
them as its residual.

    y = bn(x); z = y + residual; relu(z)      becomes      bn(x, residual), in the place of z

where bn is called once and nobody else sees y and z. The batch norm then reads x later, after the
residual is there, so nothing may be changed in place between y and z. An addition in place must be
to y: to the residual it would be seen.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partialmethod
from itertools import takewhile
from typing import Any

import torch
from torch import fx, nn
from torch.nn.modules.batchnorm import _BatchNorm

from implementations.module import BatchNorm

# of any module or None, so that children can be looked up as they are
Twins = Mapping[Any, BatchNorm]
ADDING = (operator.add, torch.add, "add")
ADDING_IN_PLACE = (operator.iadd, "add_")
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
RECTIFYING = (torch.relu, torch.relu_, nn.functional.relu, nn.functional.relu_, "relu", "relu_")
HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
# anybody else's code may change its arguments
KNOWN = ("torch", "_operator", "math", "builtins", "implementations")


def fused(model: nn.Module, twins: Twins) -> fx.GraphModule:
    """``model``, traced, with ``twins`` in the place of its batch norms; ``model`` itself is left
    as it is.
    """
    with _as_before(model):
        traced = fx.GraphModule(model, _Tracer().trace(model))
    for (
        name,
        module,
        # `GraphModule` makes new containers, in training mode, of persistent buffers
    ) in traced.named_modules():
        original = model.get_submodule(name)
        module.training = original.training
        module._non_persistent_buffers_set |= (
            original._non_persistent_buffers_set & module._buffers.keys()
        )
    vars(traced).update(
        {name: value for name, value in vars(model).items() if name in _hook_attributes()}
    )
    _place(traced, model, twins)
    # what is drawn in on a bypass then no longer stands in another's way
    for node in reversed(list(traced.graph.nodes)):
        if _is_batch_norm(traced, node):
            _fuse(traced, node)
    traced.graph.lint()
    traced.recompile()
    return traced


def change_(name: str, left: Any, right: Any) -> Any:
    """``left += right`` and the like in a graph, which prints `operator.iadd` as a statement, and
    that rebinds a number.
    """
    return getattr(operator, name)(left, right)


def _record(proxy: fx.Proxy, name: str, other: Any) -> fx.Proxy:
    return proxy.tracer.create_proxy("call_function", change_, (name, proxy, other), {})


# PyTorch's own takes ``a += b`` for ``a = a + b``, so that whoever else sees a would not see it
# change.
_Proxy = type(
    "_Proxy", (fx.Proxy,), {f"__{name}__": partialmethod(_record, name) for name in IN_PLACE}
)


class _Tracer(fx.Tracer):
    # else what the model computes of a buffer would be computed now, and kept as a constant
    proxy_buffer_attributes = True

    def proxy(self, node: fx.Node) -> fx.Proxy:
        made: fx.Proxy = _Proxy(node, self)
        return made

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        # A hook on a module that is traced into would be called now, on no tensors, and never
        # again.
        return (
            isinstance(m, _BatchNorm)
            or _is_hooked(m)
            or super().is_leaf_module(m, module_qualified_name)
        )


@contextmanager
def _as_before(model: nn.Module) -> Iterator[None]:
    """Tracing runs the model's own code, and keeps constants on it: takes away what that leaves
    behind.
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


def _is_hooked(module: nn.Module) -> bool:
    return any(getattr(module, name) for name in HOOKS)


def _place(traced: fx.GraphModule, model: nn.Module, twins: Twins) -> None:
    for target in {str(node.target) for node in traced.graph.nodes if node.op == "call_module"}:
        parent, _, name = target.rpartition(".")
        module = model.get_submodule(target)
        # Modules that are not traced into are the model's own, and what they consist of stays.
        if module in twins and traced.get_submodule(parent) is not model.get_submodule(parent):
            setattr(traced.get_submodule(parent), name, twins[module])


def _fuse(traced: fx.GraphModule, bn: fx.Node) -> None:
    """Draw what follows a batch norm into it."""
    adding, last, residual = None, _only_user(bn), None
    operands, in_place = _addition(last)
    if operands:
        adding, last = last, _only_user(last)
        residual = _residual(operands, in_place, bn)
        if residual is None or any(_mutates(traced, node) for node in _between(bn, adding)):
            return
    if last is None or not _rectifies(traced, last):
        return
    with traced.graph.inserting_before(adding or bn):
        new = traced.graph.call_module(
            str(bn.target), bn.args if residual is None else (*bn.args, residual)
        )
        if in_place:  # whatever is added so, the dtype stays
            new = traced.graph.call_method("type_as", (new, *bn.args))
    module: Any = traced.get_submodule(str(bn.target))
    module.activation = "relu"
    last.replace_all_uses_with(new)
    for gone in filter(None, (last, adding, bn)):
        traced.graph.erase_node(gone)


def _only_user(node: fx.Node | None) -> fx.Node | None:
    return next(iter(node.users)) if node is not None and len(node.users) == 1 else None


def _between(first: fx.Node, last: fx.Node | None) -> list[fx.Node]:
    nodes = iter(first.graph.nodes)
    list(takewhile(lambda node: node is not first, nodes))
    return list(takewhile(lambda node: node is not last, nodes))


def _is_batch_norm(traced: fx.GraphModule, node: fx.Node) -> bool:
    """Whether something may be drawn into it: it is called once, nobody reads its statistics, no
    hook sees what comes out.
    """
    if node.op != "call_module" or len(node.args) != 1 or node.kwargs:
        return False
    module = traced.get_submodule(str(node.target))
    uses = [
        other
        for other in traced.graph.nodes
        if other.op in ("call_module", "get_attr")
        and f"{other.target}.".startswith(f"{node.target}.")
    ]
    return (
        type(module) is BatchNorm
        and module.activation is None
        and not _is_hooked(module)
        and len(uses) == 1
    )


def _addition(node: fx.Node | None) -> tuple[tuple[Any, ...], bool]:
    """What a node adds up, nothing where it is no plain addition, and whether it does so in
    place.
    """
    if node is None or node.kwargs:
        return (), False
    if node.target is change_ and node.args[0] == "iadd":
        return node.args[1:], True
    in_place = _is(node, ADDING_IN_PLACE)
    return node.args if in_place or _is(node, ADDING) else (), in_place


def _residual(operands: tuple[Any, ...], in_place: bool, bn: fx.Node) -> fx.Node | None:
    """What is added to the output of ``bn``, of whatever shape and dtype; None where it may not be
    drawn in.
    """
    if len(operands) != 2 or operands[0] is operands[1] or (in_place and operands[0] is not bn):
        return None
    other = operands[operands[0] is bn]
    return other if isinstance(other, fx.Node) else None


def _rectifies(traced: fx.GraphModule, node: fx.Node) -> bool:
    if node.op == "call_module":
        module = traced.get_submodule(str(node.target))
        return type(module) is nn.ReLU and not _is_hooked(module)
    return _is(node, RECTIFYING) and bool(node.args) and not node.kwargs.keys() - {"inplace"}


def _is(node: fx.Node, targets: tuple[Any, ...]) -> bool:
    return node.op in ("call_function", "call_method") and node.target in targets


def _mutates(traced: fx.GraphModule, node: fx.Node) -> bool:
    """Whether it may change a tensor in place, by its name or its arguments; in doubt it does."""
    if node.op == "call_module":
        module = traced.get_submodule(str(node.target))
        return not _is_known(type(module)) or any(
            getattr(part, "inplace", False) for part in module.modules()
        )
    if node.op not in ("call_function", "call_method"):
        return False
    name = str(getattr(node.target, "__name__", node.target)).partition(".")[0]
    if node.op == "call_function" and getattr(node.target, "__module__", None) == "_operator":
        return name.startswith(("i", "setitem", "delitem"))
    told = "out" in node.kwargs or any(
        given is True for given in (*node.args, node.kwargs.get("inplace"))
    )
    return name.endswith("_") or told or (node.op == "call_function" and not _is_known(node.target))


def _is_known(code: Any) -> bool:
    return str(getattr(code, "__module__", None) or "torch").partition(".")[0] in KNOWN
