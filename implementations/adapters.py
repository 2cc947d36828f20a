"""Free functions that make the contract's parts from what a plug-in's author writes, so that a
plug-in needs no class.

    pair_layer(forward, backward)          a differentiable layer from two plain functions
    prepare_layer(layer, ...)              a layer, timed as its users call it: through autograd
    prepare_pair(forward, backward, ...)   two plain functions, timed with no autograd

Arrays of other libraries come and go through a `Bridge`; torch's own pass unchanged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch

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


@dataclass(frozen=True)
class Bridge:
    """Conversions between torch tensors and a library's own arrays, sharing memory where the
    library can.
    """

    to_native: Callable[[torch.Tensor], Any]
    to_torch: Callable[[Any], torch.Tensor]
    synchronize: Callable[[], None]


TORCH = Bridge(
    to_native=lambda tensor: tensor,
    to_torch=lambda tensor: tensor,
    synchronize=lambda: torch.cuda.synchronize() if torch.cuda.is_available() else None,
)
# what nobody writes, or what is only added to, shows
_unwritten = partial(torch.full_like, fill_value=torch.nan)


def synchronize_device(device: torch.device) -> Callable[[], None]:
    """What waits for a device: CUDA returns before it is done, a CPU does not."""
    return torch.cuda.synchronize if device.type == "cuda" else lambda: None


def options(arrays: Arrays, problem: Problem, phase: Phase) -> Options:
    return Options(phase.training, arrays.momentum, arrays.eps, problem.activation)


# A layer from two functions
# ------------------------------------------------------------------------------------------


def pair_layer(forward: Forward, backward: Backward, bridge: Bridge = TORCH) -> Layer:
    """The differentiable layer whose forward and backward are the two functions. Its own gradient
    is not differentiable.
    """

    def layer(
        input: torch.Tensor,
        residual: torch.Tensor | None,
        weight: torch.Tensor | None,
        bias: torch.Tensor | None,
        running_mean: torch.Tensor | None,
        running_var: torch.Tensor | None,
        options: Options,
    ) -> torch.Tensor:
        # torch leaves apply untyped
        output: torch.Tensor = _Pair.apply(  # type: ignore[no-untyped-call]
            forward,
            backward,
            bridge,
            options,
            running_mean,
            running_var,
            input,
            residual,
            weight,
            bias,
        )
        return output

    return layer


class _Pair(torch.autograd.Function):
    """Autograd's view of a pair. What the forward saved is kept as tensors, so that changing them
    in place is noticed.
    """

    @staticmethod
    def forward(
        ctx: Any,
        forward: Forward,
        backward: Backward,
        bridge: Bridge,
        options: Options,
        running_mean: torch.Tensor | None,
        running_var: torch.Tensor | None,
        *operands: torch.Tensor | None,
    ) -> torch.Tensor:
        natives = [_cross(bridge.to_native, operand) for operand in operands]
        statistics = [
            _cross(bridge.to_native, statistic) for statistic in (running_mean, running_var)
        ]
        native, saved = forward(
            natives[0], natives[1], natives[2], natives[3], statistics[0], statistics[1], options
        )
        output = bridge.to_torch(native)
        known = dict(zip(map(id, [*natives, native]), [*operands, output], strict=True))
        # An array that is an operand or the output goes back as that very tensor: autograd then
        # sees it change, and saving the output makes no reference cycle.
        ctx.save_for_backward(
            *(
                known[id(array)] if id(array) in known else _cross(bridge.to_torch, array)
                for array in saved
            )
        )
        ctx.pair = (backward, bridge, options)
        return output

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *grad_outputs: torch.Tensor) -> tuple[Any, ...]:
        backward, bridge, options = ctx.pair
        saved = tuple(_cross(bridge.to_native, tensor) for tensor in ctx.saved_tensors)
        gradients = backward(bridge.to_native(grad_outputs[0]), saved, options)
        return (*(None,) * 6, *(_cross(bridge.to_torch, gradient) for gradient in gradients))


def _cross(convert: Callable[[Any], Any], array: Any) -> Any:
    return None if array is None else convert(array)


# A layer, prepared
# ------------------------------------------------------------------------------


def prepare_layer(
    layer: Layer, problem: Problem, phase: Phase, *, outputs: Outputs, arrays: Arrays
) -> Prepared:
    """A layer as its users call it. Raises ``Unsupported`` for reused outputs, which autograd does
    not know.
    """
    if outputs == "reused":
        raise Unsupported("a layer returns fresh outputs: autograd allocates them")
    return _PreparedLayer(layer, problem, phase, arrays)


class _PreparedLayer(Prepared):
    def __init__(self, layer: Layer, problem: Problem, phase: Phase, arrays: Arrays) -> None:
        self._phase = phase
        self._options = options(arrays, problem, phase)
        self._given = arrays
        self._operands = [
            _leaf(operand)
            for operand in (arrays.input, arrays.residual, arrays.weight, arrays.bias)
        ]
        self._statistics = [arrays.running_mean.clone(), arrays.running_var.clone()]
        self._call: Callable[[Options], torch.Tensor] = partial(
            layer, *self._operands, *self._statistics
        )
        self._wanted = [operand for operand in self._operands if operand is not None]
        self._graphs: list[torch.Tensor] = []
        self._output: torch.Tensor | None = None
        self._gradients: tuple[torch.Tensor, ...] = ()
        self._wait = synchronize_device(arrays.input.device)

    def synchronize(self) -> None:
        self._wait()

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
        self._gradients = torch.autograd.grad(output, self._wanted, self._given.grad_output)
        self._output = output

    def _forward(self) -> torch.Tensor:
        return self._call(self._options)

    def results(self) -> Results:
        gradients = iter(self._gradients)
        named = [
            next(gradients, None) if operand is not None else None for operand in self._operands
        ]
        return _results(self._output, self._statistics, Gradients(*named))


def _leaf(operand: torch.Tensor | None) -> Any:
    return None if operand is None else operand.detach().requires_grad_()


# A pair, prepared
# ------------------------------------------------------------------------------


def prepare_pair(
    forward: Forward,
    backward: Backward,
    problem: Problem,
    phase: Phase,
    *,
    outputs: Outputs,
    arrays: Arrays,
    bridge: Bridge = TORCH,
) -> Prepared:
    """Two functions on native arrays. With reused outputs both are given arrays to write to, as
    ``out``.
    """
    return _PreparedPair(forward, backward, problem, phase, outputs, arrays, bridge)


class _PreparedPair(Prepared):
    def __init__(
        self,
        forward: Forward,
        backward: Backward,
        problem: Problem,
        phase: Phase,
        outputs: Outputs,
        arrays: Arrays,
        bridge: Bridge,
    ) -> None:
        self._backward, self._phase, self._bridge, self._given = backward, phase, bridge, arrays
        self._options = options(arrays, problem, phase)
        self._torch_statistics = [arrays.running_mean.clone(), arrays.running_var.clone()]
        operands = (
            arrays.input,
            arrays.residual,
            arrays.weight,
            arrays.bias,
            *self._torch_statistics,
        )
        self._call: Callable[..., Any] = partial(
            forward, *(_cross(bridge.to_native, operand) for operand in operands)
        )
        self._grad_output = bridge.to_native(arrays.grad_output)
        reused = Gradients(*(_cross(_unwritten, operand) for operand in operands[:4]))
        self._out = bridge.to_native(_unwritten(arrays.input)) if outputs == "reused" else None
        self._grads_out = (
            Gradients(*(_cross(bridge.to_native, g) for g in reused))
            if outputs == "reused"
            else None
        )
        self._output: Any = None
        self._saved: tuple[Any, ...] = ()
        self._gradients = Gradients(None, None, None, None)

    def synchronize(self) -> None:
        self._bridge.synchronize()

    def arm(self, calls: int) -> None:
        _restore(self._torch_statistics, self._given)
        if not self._phase.has_forward:
            self._forward()

    def __call__(self) -> None:
        if self._phase.has_forward:
            self._forward()
        if self._phase.has_backward:
            self._gradients = self._backward(
                self._grad_output, self._saved, self._options, self._grads_out
            )

    def _forward(self) -> None:
        self._output, self._saved = self._call(self._options, self._out)

    def results(self) -> Results:
        crossed = Gradients(
            *(_cross(self._bridge.to_torch, gradient) for gradient in self._gradients)
        )
        output = self._bridge.to_torch(self._output)
        for given, returned in zip(
            (self._out, *(self._grads_out or ())), (output, *crossed), strict=False
        ):
            if given is not None and returned is not None:
                _check_given(self._bridge.to_torch(given), returned)
        return _results(output, self._torch_statistics, crossed)


def _check_given(given: torch.Tensor, returned: torch.Tensor) -> None:
    if given.data_ptr() != returned.data_ptr():
        raise ValueError(
            "it was given an array to write to and returned another; write to `out`, or raise "
            "Unsupported in "
            "prepare where outputs are reused"
        )


def _restore(statistics: list[torch.Tensor], given: Arrays) -> None:
    statistics[0].copy_(given.running_mean)
    statistics[1].copy_(given.running_var)


def _results(output: Any, statistics: list[torch.Tensor], gradients: Gradients) -> Results:
    bare = Results(output.detach(), statistics[0].clone(), statistics[1].clone())
    return replace(
        bare,
        grad_input=gradients.input,
        grad_residual=gradients.residual,
        grad_weight=gradients.weight,
        grad_bias=gradients.bias,
    )


def prepare_with(
    face: Face,
    layer: Layer,
    forward: Forward,
    backward: Backward,
    problem: Problem,
    phase: Phase,
    *,
    outputs: Outputs,
    arrays: Arrays,
    bridge: Bridge = TORCH,
) -> Prepared:
    """The usual body of ``Implementation.prepare``: the layer for one face, the pair for the
    other.
    """
    if face == "layer":
        return prepare_layer(layer, problem, phase, outputs=outputs, arrays=arrays)
    return prepare_pair(
        forward, backward, problem, phase, outputs=outputs, arrays=arrays, bridge=bridge
    )
