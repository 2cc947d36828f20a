"""A differentiable layer from a forward and a backward function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from implementations.bridge import TORCH, Bridge, convert_if_given
from implementations.interface import Backward, Forward, Layer, Options
from implementations.refusals import refuse_graph_of_gradient, refuse_recording, refuse_transforms
from implementations.returned_values import (
    Form,
    check_output,
    forward_values,
    gradient_tensors,
    saved_tensor,
    statistic_tensors,
    to_tensor,
)


@dataclass(frozen=True)
class PairLayer(Layer):
    """The layer whose forward and backward are two functions on arrays of the bridge's library.

    It is differentiable once: asking for a graph of its gradients is a RuntimeError, which calls
    it by ``name``. What the functions return against the contract is a ``ContractError``.
    """

    forward: Forward
    backward: Backward
    bridge: Bridge = TORCH
    name: str = "this implementation"

    def __call__(
        self,
        input: torch.Tensor,
        residual: torch.Tensor | None,
        weight: torch.Tensor | None,
        bias: torch.Tensor | None,
        running_mean: torch.Tensor | None,
        running_var: torch.Tensor | None,
        options: Options,
    ) -> torch.Tensor:
        if not torch.compiler.is_dynamo_compiling():
            refuse_transforms(self.name)
        if self.bridge is not TORCH:
            refuse_recording(self.name)
        # torch leaves apply untyped
        output: torch.Tensor = _Pair.apply(  # type: ignore[no-untyped-call]
            self.forward,
            self.backward,
            self.bridge,
            self.name,
            options,
            running_mean,
            running_var,
            input,
            residual,
            weight,
            bias,
        )
        return output


class _Pair(torch.autograd.Function):
    """The pair as one node of autograd's graph.

    What the forward saved is kept as tensors, so that autograd notices when they change in place.
    """

    @staticmethod
    def forward(
        ctx: Any,
        forward: Forward,
        backward: Backward,
        bridge: Bridge,
        name: str,
        options: Options,
        running_mean: torch.Tensor | None,
        running_var: torch.Tensor | None,
        *operands: torch.Tensor | None,
    ) -> torch.Tensor:
        statistics = (running_mean, running_var)
        natives = [convert_if_given(bridge.to_native, operand) for operand in operands]
        running = [convert_if_given(bridge.to_native, statistic) for statistic in statistics]
        returned = forward(
            natives[0], natives[1], natives[2], natives[3], running[0], running[1], options
        )
        native, saved, new = forward_values(returned, forward, immutable=bridge.immutable)
        output = to_tensor(native, bridge, forward, "forward", "the output")
        check_output(output, operands, forward, "forward")
        if bridge.immutable and options.training:
            _move(statistics, new, bridge, forward)
        # An array that is an operand or the output goes back as that very tensor: autograd then
        # sees it change, and saving the output makes no reference cycle.
        known = dict(zip(map(id, [*natives, native]), [*operands, output], strict=True))
        kept = [
            known[id(array)] if id(array) in known else saved_tensor(array, place, bridge, forward)
            for place, array in enumerate(saved)
        ]
        ctx.save_for_backward(*kept)
        ctx.pair = (backward, bridge, name, options)
        ctx.operand_forms = [convert_if_given(Form.of, operand) for operand in operands]
        return output

    @staticmethod
    def backward(ctx: Any, *grad_outputs: torch.Tensor) -> tuple[Any, ...]:
        backward, bridge, name, options = ctx.pair
        refuse_graph_of_gradient(name)
        saved = tuple(convert_if_given(bridge.to_native, tensor) for tensor in ctx.saved_tensors)
        returned = backward(bridge.to_native(grad_outputs[0]), saved, options)
        gradients = gradient_tensors(returned, ctx.operand_forms, bridge, backward)
        # the seven arguments before the operands have none
        return (*(None,) * 7, *gradients)


def _move(
    running: Sequence[torch.Tensor | None], new: Sequence[Any], bridge: Bridge, forward: Forward
) -> None:
    """Give the running statistics their new values, where there are any."""
    given = [statistic for statistic in running if statistic is not None]
    if given:
        for statistic, moved in zip(
            given, statistic_tensors(new, given, bridge, forward), strict=True
        ):
            statistic.copy_(moved)
