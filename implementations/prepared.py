"""Layers and pairs of functions, prepared: ready for one phase of one problem, to check and to
time.

    PreparedLayer     a layer as its users call it, through autograd
    PreparedKernel    a forward and a backward on native arrays, with no autograd
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from implementations.bridge import TORCH, Bridge, convert_if_given
from implementations.differentiable import check_differentiable
from implementations.interface import (
    Arrays,
    Backward,
    Face,
    Forward,
    Gradients,
    Layer,
    Options,
    Outputs,
    Phase,
    Prepared,
    Problem,
    Results,
    Unsupported,
)
from implementations.returned_values import (
    check_output,
    check_written,
    forward_values,
    gradient_tensors,
    statistic_tensors,
    to_tensor,
)

NO_GRADIENTS = Gradients(None, None, None, None)


@dataclass(frozen=True)
class Functions:
    """What an implementation computes with: a layer on torch tensors, and the functions behind it.

    ``forward`` and ``backward`` are on the arrays of the ``bridge``'s library. An implementation
    whose gradients only autograd knows has no ``backward``.
    """

    forward: Forward
    backward: Backward | None
    layer: Layer
    bridge: Bridge = TORCH


def prepare_functions(
    functions: Functions,
    problem: Problem,
    phase: Phase,
    *,
    face: Face,
    outputs: Outputs,
    arrays: Arrays,
) -> Prepared:
    """The usual body of ``Implementation.prepare``: the layer for one face, the pair for the other.

    Raises ``Unsupported`` for a layer with reused outputs, and for a backward that is not there.
    """
    if face == "layer":
        if outputs == "reused":
            raise Unsupported("a layer returns fresh outputs: autograd allocates them")
        return PreparedLayer(functions.layer, problem, phase, arrays)
    if phase.has_backward and functions.backward is None:
        raise Unsupported("autograd differentiates it, so it has no backward without autograd")
    return PreparedKernel(functions, problem, phase, outputs=outputs, arrays=arrays)


class PreparedLayer(Prepared):
    """A layer as its users call it, with gradients by `torch.autograd.grad` and fresh outputs."""

    def __init__(self, layer: Layer, problem: Problem, phase: Phase, arrays: Arrays) -> None:
        self._phase, self._layer = phase, layer
        self._options = _options(arrays, problem, phase)
        self._given = arrays
        self._operands = [convert_if_given(_leaf, operand) for operand in arrays.operands]
        self._statistics = [arrays.running_mean.clone(), arrays.running_var.clone()]
        self._call: Callable[[Options], torch.Tensor] = partial(
            layer, *self._operands, *self._statistics
        )
        self._present = [operand for operand in self._operands if operand is not None]
        self._graphs: list[torch.Tensor] = []
        self._output: torch.Tensor | None = None
        self._gradients: tuple[torch.Tensor, ...] = ()
        self._on_cuda = arrays.input.device.type == "cuda"

    def synchronize(self) -> None:
        # a CPU is done when a call returns
        if self._on_cuda:
            torch.cuda.synchronize()

    def arm(self, calls: int) -> None:
        _restore(self._statistics, self._given)
        self._graphs.clear()
        if not self._phase.has_forward:
            # A graph is spent by its backward: torch.compile's cannot be kept for a second one.
            self._graphs.extend(self._forward() for _ in range(calls))

    def __call__(self) -> None:
        if not self._phase.has_backward:
            with torch.set_grad_enabled(self._phase.training):
                self._output = self._forward()
            return
        output = self._forward() if self._phase.has_forward else self._graphs.pop()
        try:
            self._gradients = torch.autograd.grad(output, self._present, self._given.grad_output)
        except Exception:
            self._check(output)
            check_differentiable(output, self._operands, self._layer)
            raise
        self._output = output

    def _forward(self) -> torch.Tensor:
        return self._call(self._options)

    def _check(self, output: Any) -> None:
        check_output(output, self._operands, self._layer, "layer")

    def results(self) -> Results:
        self._check(self._output)
        gradients = iter(self._gradients)
        named = [
            next(gradients, None) if operand is not None else None for operand in self._operands
        ]
        return _results(self._output, self._statistics, Gradients(*named))


class PreparedKernel(Prepared):
    """Two functions on native arrays. With reused outputs both are given arrays to write to, as
    ``out``: allocated once, and full of NaN before the first call.
    """

    def __init__(
        self,
        functions: Functions,
        problem: Problem,
        phase: Phase,
        *,
        outputs: Outputs,
        arrays: Arrays,
    ) -> None:
        self._functions, self._bridge = functions, functions.bridge
        self._phase, self._given = phase, arrays
        self._options = _options(arrays, problem, phase)
        self._statistics = [arrays.running_mean.clone(), arrays.running_var.clone()]
        self._call: Callable[..., Any] = partial(
            functions.forward, *map(self._native, arrays.operands)
        )
        self._running: Sequence[Any] = ()
        self._grad_output = self._native(arrays.grad_output)
        self._out: Any = None
        self._grads_out: Gradients | None = None
        if outputs == "reused":
            self._out = self._native(_unwritten(arrays.input))
            grads = (convert_if_given(_unwritten, operand) for operand in arrays.operands)
            self._grads_out = Gradients(*map(self._native, grads))
        self._output: Any = None
        self._saved: Any = ()
        self._gradients: Any = None

    def _native(self, tensor: torch.Tensor | None) -> Any:
        return convert_if_given(self._bridge.to_native, tensor)

    def synchronize(self) -> None:
        self._bridge.synchronize()

    def arm(self, calls: int) -> None:
        _restore(self._statistics, self._given)
        self._running = [self._native(statistic) for statistic in self._statistics]
        if not self._phase.has_forward:
            self._forward()

    def __call__(self) -> None:
        if self._phase.has_forward:
            self._forward()
        if self._phase.has_backward and self._functions.backward is not None:
            self._gradients = self._functions.backward(
                self._grad_output, self._saved, self._options, self._grads_out
            )

    def _forward(self) -> None:
        self._output, self._saved, new = forward_values(
            self._call(*self._running, self._options, self._out),
            self._functions.forward,
            immutable=self._bridge.immutable,
        )
        if self._bridge.immutable and self._options.training:
            self._running = new

    def results(self) -> Results:
        forward = self._functions.forward
        output = to_tensor(self._output, self._bridge, forward, "forward", "the output")
        check_output(output, self._given.operands, forward, "forward")
        check_written(output, self._out, self._bridge, "the output", forward, "forward")
        statistics = self._statistics
        if self._bridge.immutable and self._options.training:
            statistics = statistic_tensors(self._running, statistics, self._bridge, forward)
        return _results(output, statistics, self._gradient_tensors())

    def _gradient_tensors(self) -> Gradients:
        backward = self._functions.backward
        if not self._phase.has_backward or backward is None:
            return NO_GRADIENTS
        outs = self._grads_out or NO_GRADIENTS
        return gradient_tensors(self._gradients, self._given.operands, self._bridge, backward, outs)


def _options(arrays: Arrays, problem: Problem, phase: Phase) -> Options:
    follows = phase is not Phase.INFERENCE
    return Options(phase.training, arrays.momentum, arrays.eps, problem.activation, follows)


def _leaf(operand: torch.Tensor) -> torch.Tensor:
    """The operand's memory as a leaf of autograd's graph of its own."""
    return operand.detach().requires_grad_()


def _unwritten(like: torch.Tensor) -> torch.Tensor:
    """An output to write to. NaN shows where it is not written, or only added to."""
    return torch.full_like(like, torch.nan)


def _restore(statistics: list[torch.Tensor], given: Arrays) -> None:
    statistics[0].copy_(given.running_mean)
    statistics[1].copy_(given.running_var)


def _results(output: Any, statistics: Sequence[torch.Tensor], gradients: Gradients) -> Results:
    return Results(
        output.detach(),
        statistics[0].clone(),
        statistics[1].clone(),
        grad_input=gradients.input,
        grad_residual=gradients.residual,
        grad_weight=gradients.weight,
        grad_bias=gradients.bias,
    )
