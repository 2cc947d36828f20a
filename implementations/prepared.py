"""Layers and pairs of functions, prepared: ready for one phase of one problem, to check and to
time.

    PreparedLayer     a layer as its users call it, through autograd
    PreparedKernel    a forward and a backward on native arrays, with no autograd
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from implementations.bridge import TORCH, Bridge, convert_if_given
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
        self._phase = phase
        self._options = _options(arrays, problem, phase)
        self._given = arrays
        self._operands = [
            convert_if_given(_leaf, operand)
            for operand in (arrays.input, arrays.residual, arrays.weight, arrays.bias)
        ]
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
        self._gradients = torch.autograd.grad(output, self._present, self._given.grad_output)
        self._output = output

    def _forward(self) -> torch.Tensor:
        return self._call(self._options)

    def results(self) -> Results:
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
        self._backward, self._bridge = functions.backward, functions.bridge
        self._phase, self._given = phase, arrays
        self._options = _options(arrays, problem, phase)
        self._statistics = [arrays.running_mean.clone(), arrays.running_var.clone()]
        operands = (arrays.input, arrays.residual, arrays.weight, arrays.bias)
        self._call: Callable[..., Any] = partial(
            functions.forward, *map(self._native, (*operands, *self._statistics))
        )
        self._grad_output = self._native(arrays.grad_output)
        self._out: Any = None
        self._grads_out: Gradients | None = None
        if outputs == "reused":
            self._out = self._native(_unwritten(arrays.input))
            grads = (convert_if_given(_unwritten, operand) for operand in operands)
            self._grads_out = Gradients(*map(self._native, grads))
        self._output: Any = None
        self._saved: tuple[Any, ...] = ()
        self._gradients = NO_GRADIENTS

    def _native(self, tensor: torch.Tensor | None) -> Any:
        return convert_if_given(self._bridge.to_native, tensor)

    def _torch(self, array: Any) -> Any:
        return convert_if_given(self._bridge.to_torch, array)

    def synchronize(self) -> None:
        self._bridge.synchronize()

    def arm(self, calls: int) -> None:
        _restore(self._statistics, self._given)
        if not self._phase.has_forward:
            self._forward()

    def __call__(self) -> None:
        if self._phase.has_forward:
            self._forward()
        if self._phase.has_backward and self._backward is not None:
            self._gradients = self._backward(
                self._grad_output, self._saved, self._options, self._grads_out
            )

    def _forward(self) -> None:
        self._output, self._saved = self._call(self._options, self._out)

    def results(self) -> Results:
        output = self._torch(self._output)
        gradients = Gradients(*map(self._torch, self._gradients))
        if self._grads_out is not None:
            given = map(self._torch, (self._out, *self._grads_out))
            _check_written(zip(given, (output, *gradients), strict=True))
        return _results(output, self._statistics, gradients)


def _options(arrays: Arrays, problem: Problem, phase: Phase) -> Options:
    return Options(phase.training, arrays.momentum, arrays.eps, problem.activation)


def _leaf(operand: torch.Tensor) -> torch.Tensor:
    """The operand's memory as a leaf of autograd's graph of its own."""
    return operand.detach().requires_grad_()


def _unwritten(like: torch.Tensor) -> torch.Tensor:
    """An output to write to. NaN shows where it is not written, or only added to."""
    return torch.full_like(like, torch.nan)


def _check_written(pairs: Iterable[tuple[Any, Any]]) -> None:
    """Raises ValueError where what a function returned is not the array that it was given."""
    for given, returned in pairs:
        both = given is not None and returned is not None
        if both and given.data_ptr() != returned.data_ptr():
            raise ValueError(
                "it was given an array to write to and returned another; write to `out`, or refuse "
                "reused outputs (`fresh_outputs_only` of implementations.adapters, or Unsupported "
                "raised in prepare)"
            )


def _restore(statistics: list[torch.Tensor], given: Arrays) -> None:
    statistics[0].copy_(given.running_mean)
    statistics[1].copy_(given.running_var)


def _results(output: Any, statistics: list[torch.Tensor], gradients: Gradients) -> Results:
    return Results(
        output.detach(),
        statistics[0].clone(),
        statistics[1].clone(),
        grad_input=gradients.input,
        grad_residual=gradients.residual,
        grad_weight=gradients.weight,
        grad_bias=gradients.bias,
    )
