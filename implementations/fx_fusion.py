"""A traced model in which batch norms compute the ReLU that follows them, and an addition between
as their residual.

    y = bn(x); z = y + residual; relu(z)      becomes      bn(x, residual), in the place of z

where bn is called once and nothing else uses y and z. The batch norm then reads x later, when the
residual is known, so nothing may be changed in place between y and z. An addition in place must be
to y: a change of the residual could be seen elsewhere.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from itertools import takewhile
from typing import Any

import torch
from torch import fx, nn

from implementations.fx_tracing import change_, is_hooked, trace
from implementations.module import BatchNorm

# of any module or None, so that children can be looked up as they are
Twins = Mapping[Any, BatchNorm]
ADDITIONS = (operator.add, torch.add, "add")
ADDITIONS_IN_PLACE = (operator.iadd, "add_")
RELUS = (torch.relu, torch.relu_, nn.functional.relu, nn.functional.relu_, "relu", "relu_")
# packages whose functions show by name and arguments whether they change these in place
KNOWN_PACKAGES = ("torch", "_operator", "math", "builtins", "implementations")


def fuse(model: nn.Module, twins: Twins) -> fx.GraphModule:
    """``model``, traced, with ``twins`` in the place of its batch norms, fused where possible;
    ``model`` itself is left as it is.
    """
    traced = trace(model)
    _place(traced, model, twins)
    # Backwards, so that a batch norm on a bypass no longer stands between another and its addition.
    for node in reversed(list(traced.graph.nodes)):
        if _is_batch_norm(traced, node):
            _fuse_following(traced, node)
    traced.graph.lint()
    traced.recompile()
    return traced


def _place(traced: fx.GraphModule, model: nn.Module, twins: Twins) -> None:
    for target in {str(node.target) for node in traced.graph.nodes if node.op == "call_module"}:
        parent, _, name = target.rpartition(".")
        module = model.get_submodule(target)
        # Modules that are not traced into are the model's own, and what they consist of stays.
        if module in twins and traced.get_submodule(parent) is not model.get_submodule(parent):
            setattr(traced.get_submodule(parent), name, twins[module])


def _fuse_following(traced: fx.GraphModule, bn: fx.Node) -> None:
    """Let a batch norm compute the ReLU that follows it, and the addition between, if any."""
    addition, last, residual = None, _only_user(bn), None
    operands, in_place = _addition(last)
    if operands:
        addition, last = last, _only_user(last)
        residual = _residual(operands, in_place, bn)
        if residual is None or any(_mutates(traced, node) for node in _between(bn, addition)):
            return
    if last is None or not _is_relu(traced, last):
        return
    with traced.graph.inserting_before(addition or bn):
        new = traced.graph.call_module(
            str(bn.target), bn.args if residual is None else (*bn.args, residual)
        )
        if in_place:  # an addition in place keeps the dtype
            new = traced.graph.call_method("type_as", (new, *bn.args))
    module: Any = traced.get_submodule(str(bn.target))
    module.activation = "relu"
    last.replace_all_uses_with(new)
    for node in filter(None, (last, addition, bn)):
        traced.graph.erase_node(node)


def _only_user(node: fx.Node | None) -> fx.Node | None:
    return next(iter(node.users)) if node is not None and len(node.users) == 1 else None


def _between(first: fx.Node, last: fx.Node | None) -> list[fx.Node]:
    nodes = iter(first.graph.nodes)
    list(takewhile(lambda node: node is not first, nodes))
    return list(takewhile(lambda node: node is not last, nodes))


def _is_batch_norm(traced: fx.GraphModule, node: fx.Node) -> bool:
    """Whether it is a batch norm that may be fused: called once, its statistics read nowhere else,
    no hook on its output.
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
        and not is_hooked(module)
        and len(uses) == 1
    )


def _addition(node: fx.Node | None) -> tuple[tuple[Any, ...], bool]:
    """The operands of a plain addition, none where the node is something else, and whether it is in
    place.
    """
    if node is None or node.kwargs:
        return (), False
    if node.target is change_ and node.args[0] == "iadd":
        return node.args[1:], True
    in_place = _is(node, ADDITIONS_IN_PLACE)
    return node.args if in_place or _is(node, ADDITIONS) else (), in_place


def _residual(operands: tuple[Any, ...], in_place: bool, bn: fx.Node) -> fx.Node | None:
    """What is added to the output of ``bn``, of any shape and dtype; None where it cannot be a
    residual.
    """
    if len(operands) != 2 or operands[0] is operands[1] or (in_place and operands[0] is not bn):
        return None
    other = operands[operands[0] is bn]
    return other if isinstance(other, fx.Node) else None


def _is_relu(traced: fx.GraphModule, node: fx.Node) -> bool:
    if node.op == "call_module":
        module = traced.get_submodule(str(node.target))
        return type(module) is nn.ReLU and not is_hooked(module)
    return _is(node, RELUS) and bool(node.args) and not node.kwargs.keys() - {"inplace"}


def _is(node: fx.Node, targets: tuple[Any, ...]) -> bool:
    return node.op in ("call_function", "call_method") and node.target in targets


def _mutates(traced: fx.GraphModule, node: fx.Node) -> bool:
    """Whether it may change a tensor in place, judged by name and arguments; True where unknown."""
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
    flags = (*node.args, node.kwargs.get("inplace"))
    is_asked_to = "out" in node.kwargs or any(flag is True for flag in flags)
    is_foreign = node.op == "call_function" and not _is_known(node.target)
    return name.endswith("_") or is_asked_to or is_foreign


def _is_known(code: Any) -> bool:
    return str(getattr(code, "__module__", None) or "torch").partition(".")[0] in KNOWN_PACKAGES
