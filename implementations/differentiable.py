"""A layer from one function that autograd differentiates, seen to be that once a problem."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import final

import torch
from torch.autograd.graph import GradientEdge, Node, get_gradient_edge

from implementations.author_functions import contract_error
from implementations.interface import Gradients, Layer, Options
from implementations.returned_values import check_output

Tensor = torch.Tensor


@final
class DifferentiableLayer(Layer):
    """The function as it is. Its first call with gradients is held against the contract."""

    def __init__(self, function: Layer) -> None:
        self.__wrapped__ = function  # whose name messages give
        self._is_checked = False

    def __call__(
        self,
        input: Tensor,
        residual: Tensor | None,
        weight: Tensor | None,
        bias: Tensor | None,
        running_mean: Tensor | None,
        running_var: Tensor | None,
        options: Options,
    ) -> Tensor:
        operands = (input, residual, weight, bias)
        output = self.__wrapped__(*operands, running_mean, running_var, options)
        if not self._is_checked and options.backward_follows and _is_eager():
            check_output(output, operands, self, "layer")
            check_differentiable(output, operands, self)
            self._is_checked = True
        return output


def check_differentiable(output: Tensor, operands: Sequence[Tensor | None], layer: Layer) -> None:
    """Raises ``ContractError`` where autograd finds no way from the output to an operand."""
    edges = {
        name: get_gradient_edge(operand)
        for name, operand in zip(Gradients._fields, operands, strict=True)
        if operand is not None and operand.requires_grad
    }
    reached = _reached(output, edges.values()) if output.requires_grad else set()
    unused = [name for name, edge in edges.items() if _key(edge) not in reached]
    if unused:
        what = (
            f"does not use {', '.join(unused)}, as autograd sees it; it must compute the output "
            "from every operand by torch's operations, without detach or no_grad"
        )
        raise contract_error(layer, "layer", what)


def _is_eager() -> bool:
    """Whether tensors have graphs that can be looked at: no compiler and no transform of torch.func
    is at work.
    """
    transforms = torch._C._functorch.peek_interpreter_stack()
    return not torch.compiler.is_compiling() and transforms is None


def _reached(output: Tensor, ends: Iterable[GradientEdge]) -> set[tuple[Node, int]]:
    """The edges on the way back from the output, up to those of the operands and not beyond."""
    end_nodes = {edge.node for edge in ends}
    start = get_gradient_edge(output)
    found = {_key(start)}
    seen: set[Node] = set()
    waiting = [start.node]
    while waiting:
        node = waiting.pop()
        if node in seen or node in end_nodes:
            continue
        seen.add(node)
        following = [(to, number) for to, number in node.next_functions if to is not None]
        found.update(following)
        waiting += [to for to, _ in following]
    return found


def _key(edge: GradientEdge) -> tuple[Node, int]:
    return edge.node, edge.output_nr
