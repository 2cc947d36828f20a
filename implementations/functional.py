"""`batch_norm`: torch.nn.functional.batch_norm's signature, semantics and errors, over any
implementation.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache

import torch

from implementations import registry
from implementations.arguments import (
    Parameters,
    check_activation,
    check_devices,
    check_residual,
    has_form_of,
    within_contract,
)
from implementations.interface import (
    RANKS,
    Implementation,
    Layer,
    Options,
    Phase,
    Problem,
    Unsupported,
    refusal,
)
from implementations.returned_values import check_output
from implementations.torch_formats import DTYPE_NAMES, memory_format_of

Tensor = torch.Tensor
# of a size that was computed from data, and so has no example
SIZE_WITHOUT_EXAMPLE = 2


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
    *,
    implementation: registry.Specification | Implementation,
    activation: str | None = None,
    residual: Tensor | None = None,
) -> Tensor:
    """Normalize ``input``, of shape (N, C, *spatial), per channel; differentiable, and twice where
    the implementation is: else ``create_graph=True`` is an error in the backward.

    The running statistics, of shape (C,), are updated in place when ``training``. ``residual``, of
    the input's shape and dtype, is added before the ``activation`` (None or "relu"). Strided input
    is made contiguous once. Under torch.compile with ``fullgraph`` give what `implementations.load`
    returns: a name would have to be looked up inside the graph.

    Raises ``Unsupported`` where the implementation refuses the problem, ``Unavailable`` where it
    cannot be loaded, ``ContractError`` where it returns what the contract does not allow, and for
    arguments that make no sense the exception that `torch.nn.functional.batch_norm` raises for
    them.
    """
    check_activation(activation)
    check_residual(residual, input)
    parameters = Parameters(running_mean, running_var, weight, bias)
    if not within_contract(input, parameters, training, momentum, eps):
        output = _ask_pytorch(input, parameters, training, momentum, eps)
        check_devices(input, parameters)
        if input.numel() == 0:
            return add_and_activate(output, residual, activation)
        running_mean, running_var, weight, bias = parameters = parameters.flattened()
    shape = input.shape
    if len(shape) not in RANKS:
        input, residual = input.flatten(2), residual if residual is None else residual.flatten(2)
    layout = memory_format_of(input) or torch.contiguous_format
    layer = _layer(
        resolve(implementation),
        tuple(map(_example_size, input.shape)),
        DTYPE_NAMES[input.dtype],
        parameters.dtype_name(input),
        layout is not torch.contiguous_format,
        activation,
        residual is not None,
        weight is not None,
        bias is not None,
        training,
        torch.is_grad_enabled(),
        input.device.type,
    )
    input = input.contiguous(memory_format=layout)
    residual = residual if residual is None else residual.contiguous(memory_format=layout)
    operands = (input, residual, weight, bias)
    options = Options(training, momentum, eps, activation, _need_backward(operands))
    output = layer(*operands, running_mean, running_var, options)
    if not has_form_of(output, input):
        check_output(output, operands, layer, "layer")
    return output if output.shape == shape else output.view(shape)


def _example_size(size: int | torch.SymInt | Tensor) -> int:
    """The size as a number; of one that `torch.export` leaves open, that of its example: the
    implementation is asked for the example, and its layer serves all sizes.
    """
    if isinstance(size, torch.SymInt):
        return size.node.hint or SIZE_WITHOUT_EXAMPLE
    # torch.jit.trace has tensors for sizes
    return size if isinstance(size, int) else int(size)


def _need_backward(operands: Iterable[Tensor | None]) -> bool:
    return torch.is_grad_enabled() and any(
        operand is not None and operand.requires_grad for operand in operands
    )


def _ask_pytorch(
    input: Tensor, parameters: Parameters, training: bool, momentum: float, eps: float
) -> Tensor:
    """PyTorch's own output, for empty input, or its exception: it is the oracle of behaviour. The
    running statistics stay as they are.
    """
    running_mean, running_var, weight, bias = parameters
    return torch.nn.functional.batch_norm(
        input,
        _copy_unless_differentiated(running_mean),
        _copy_unless_differentiated(running_var),
        weight,
        bias,
        training,
        momentum,
        eps,
    )


def _copy_unless_differentiated(statistic: Tensor | None) -> Tensor | None:
    """A copy of a running statistic; one that requires a gradient as it is, since PyTorch refuses
    that.
    """
    return statistic if statistic is None or statistic.requires_grad else statistic.clone()


def add_and_activate(output: Tensor, residual: Tensor | None, activation: str | None) -> Tensor:
    """What follows the normalization, in operations of its own."""
    output = output if residual is None else output + residual
    return torch.relu(output) if activation else output


def resolve(implementation: registry.Specification | Implementation) -> Implementation:
    """The implementation itself, loaded once for each name or target. Raises ``Unavailable``, or
    TypeError for neither.
    """
    if isinstance(implementation, Implementation):
        return implementation
    if not isinstance(implementation, str | Mapping):
        raise TypeError(
            f"implementation is {implementation!r}; allowed: a name that `bnbench list` shows, "
            "such as 'torch_native', a mapping with `_target_`, or an Implementation: an object, "
            "which a class of them or an adapter's result makes when it is called"
        )
    return _load(
        implementation if isinstance(implementation, str) else json.dumps(dict(implementation))
    )


@lru_cache(maxsize=64)
def _load(specification: str) -> Implementation:
    return registry.load(
        json.loads(specification) if specification.startswith("{") else specification
    )


@lru_cache(maxsize=1024)
def _layer(
    implementation: Implementation,
    shape: tuple[int, ...],
    dtype: str,
    parameter_dtype: str,
    channels_last: bool,
    activation: str | None,
    residual: bool,
    weight: bool,
    bias: bool,
    training: bool,
    gradients: bool,
    device: str,
) -> Layer:
    """The layer for one problem, made once, so that a small call does not cost more in bookkeeping
    than in computing. Raises ``Unsupported``.
    """
    problem = Problem(
        shape,
        dtype,
        parameter_dtype,
        "channels_last" if channels_last else "contiguous",
        activation,
        residual,
        weight,
        bias,
    )
    phases = (
        (Phase.FORWARD_TRAINING, Phase.BACKWARD)
        if training
        else (Phase.INFERENCE, Phase.BACKWARD_INFERENCE)
    )
    for phase in phases[: 1 + gradients]:
        reason = refusal(implementation, problem, phase, device)
        if reason is not None:
            raise Unsupported(f"{implementation} refuses {problem}, {phase}: {reason}")
    return implementation.layer(problem)
