"""`convert`: a model whose batch norms are computed by another implementation, on the same weights and buffers."""

from __future__ import annotations

import operator
from typing import Any

import torch
from torch import fx, nn
from torch.nn.modules.batchnorm import _BatchNorm

from implementations import registry
from implementations.interface import Implementation
from implementations.module import BatchNorm

Specification = registry.Specification | Implementation
ADDING = (operator.add, operator.iadd, torch.add, "add", "add_")
RECTIFYING = (torch.relu, torch.relu_, nn.functional.relu, "relu", "relu_")


def convert(model: nn.Module, implementation: Specification, *, fuse: bool = False) -> nn.Module:
    """Replace every batch norm of ``model``, in place but for one that is itself the model, and return it.

    Parameters and buffers are the very same, so that an optimizer goes on with them. ``fuse`` also draws a following ReLU into
    the batch norm, and an addition between them as its residual, wherever nobody else sees what comes in between; that takes a
    model that `torch.fx.symbolic_trace` can follow, and returns the `GraphModule` that it makes.

    `SyncBatchNorm` is left as it is: its statistics are of several processes. Raises ``Unavailable`` where the implementation
    cannot be loaded, and what `symbolic_trace` raises where it cannot follow the model.
    """
    if _replaceable(model):
        return _replacement(model, implementation)
    for module in list(model.modules()):
        for name, child in module.named_children():
            if _replaceable(child):
                setattr(module, name, _replacement(child, implementation))
    return _fused(model) if fuse else model


def _replaceable(module: nn.Module) -> bool:
    return isinstance(module, _BatchNorm) and not isinstance(module, (nn.SyncBatchNorm, BatchNorm))


def _replacement(old: Any, implementation: Specification) -> BatchNorm:
    new = BatchNorm(old.num_features, old.eps, old.momentum, old.affine, old.track_running_stats, implementation=implementation,
                    device="meta")
    for name in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"):
        new._parameters.pop(name, None)
        new._buffers.pop(name, None)
        (new._parameters if name in old._parameters else new._buffers)[name] = getattr(old, name)
    return new.train(old.training)


class _Tracer(fx.Tracer):
    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, BatchNorm) or super().is_leaf_module(m, module_qualified_name)


def _fused(model: nn.Module) -> fx.GraphModule:
    graph = _Tracer().trace(model)
    traced = fx.GraphModule(model, graph)
    for node in list(graph.nodes):
        if _is_batch_norm(traced, node) and len(_calls(graph, node.target)) == 1 and len(node.args) == 1:
            _fuse(traced, node)
    graph.lint()
    traced.recompile()
    return traced.train(model.training)


def _fuse(traced: fx.GraphModule, node: fx.Node) -> None:
    """Draw what follows a batch norm into it."""
    last, residual = _only_user(node), None
    if last is not None and _is(last, ADDING) and len(last.args) == 2 and not last.kwargs:
        residual = last.args[last.args[0] is node]
        if not isinstance(residual, fx.Node) or residual is node:
            return
        last = _only_user(last)
    if last is None or not _rectifies(traced, last):
        return
    module: Any = traced.get_submodule(str(node.target))
    module.activation = "relu"
    with traced.graph.inserting_before(last):
        new = traced.graph.call_module(str(node.target), (*node.args, *([residual] if residual is not None else [])))
    last.replace_all_uses_with(new)
    for gone in (last, *([last.args[0]] if residual is not None else []), node):
        traced.graph.erase_node(gone)  # type: ignore[arg-type]  # arguments of these are nodes


def _only_user(node: fx.Node) -> fx.Node | None:
    return next(iter(node.users)) if len(node.users) == 1 else None


def _calls(graph: fx.Graph, target: Any) -> list[fx.Node]:
    return [node for node in graph.nodes if node.op == "call_module" and node.target == target]


def _is_batch_norm(traced: fx.GraphModule, node: fx.Node) -> bool:
    if node.op != "call_module":
        return False
    module = traced.get_submodule(str(node.target))
    return isinstance(module, BatchNorm) and module.activation is None


def _rectifies(traced: fx.GraphModule, node: fx.Node) -> bool:
    if node.op == "call_module":
        return isinstance(traced.get_submodule(str(node.target)), nn.ReLU)
    return _is(node, RECTIFYING)


def _is(node: fx.Node, targets: tuple[Any, ...]) -> bool:
    return node.op in ("call_function", "call_method") and node.target in targets
