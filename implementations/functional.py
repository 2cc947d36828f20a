"""`batch_norm`: torch.nn.functional.batch_norm's signature, semantics and errors, over any
implementation.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache

import torch

from implementations import registry
from implementations.interface import (
    ACTIVATIONS,
    DTYPES,
    RANKS,
    Implementation,
    Layer,
    Options,
    Phase,
    Problem,
    Unsupported,
)

Tensor = torch.Tensor
Parameters = tuple[Tensor | None, Tensor | None, Tensor | None, Tensor | None]
NAMES = {getattr(torch, name): name for name in DTYPES}
CHANNELS_LAST = {4: torch.channels_last, 5: torch.channels_last_3d}


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
    """Normalize ``input``, of shape (N, C, *spatial), per channel; differentiable once.

    The running statistics, of shape (C,), are updated in place when ``training``. ``residual``, of
    the input's shape and dtype, is added before the ``activation`` (None or "relu"). Strided input
    is made contiguous once. Under torch.compile with ``fullgraph`` give what `implementations.load`
    returns: a name would have to be looked up inside the graph.

    Raises ``Unsupported`` where the implementation refuses the problem, ``Unavailable`` where it
    cannot be loaded, and for arguments that make no sense the exception that
    `torch.nn.functional.batch_norm` raises for them.
    """
    _check_epilogue(input, residual, activation)
    parameters: Parameters = (running_mean, running_var, weight, bias)
    if not _ordinary(input, parameters, training, momentum, eps):
        # PyTorch is the oracle of behaviour: it raises what has to be raised, and answers for empty
        # input.
        output = torch.nn.functional.batch_norm(
            input,
            _spared(running_mean),
            _spared(running_var),
            weight,
            bias,
            training,
            momentum,
            eps,
        )
        if input.numel() == 0:
            return finished(output, residual, activation)
        running_mean, running_var, weight, bias = parameters = _flat(*parameters)
    shape = input.shape
    if len(shape) not in RANKS:
        input, residual = input.flatten(2), residual if residual is None else residual.flatten(2)
    layout = _layout(input)
    layer = _plan(
        resolve(implementation),
        tuple(input.shape),
        NAMES[input.dtype],
        _parameter_dtype(input, parameters),
        layout is not torch.contiguous_format,
        activation,
        residual is not None,
        weight is not None,
        bias is not None,
        training,
        torch.is_grad_enabled(),
        input.device.type,
    )
    residual = residual if residual is None else residual.contiguous(memory_format=layout)
    output = layer(
        input.contiguous(memory_format=layout),
        residual,
        weight,
        bias,
        running_mean,
        running_var,
        Options(training, momentum, eps, activation),
    )
    return output if output.shape == shape else output.view(shape)


def _check_epilogue(input: Tensor, residual: Tensor | None, activation: str | None) -> None:
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation is {activation!r}; allowed: None or 'relu'")
    if residual is not None and not isinstance(residual, torch.Tensor):
        raise TypeError(
            f"the residual is a {type(residual).__name__}; allowed: None, or a tensor of the "
            "input's shape and "
            "dtype"
        )
    if residual is not None and (residual.shape != input.shape or residual.dtype != input.dtype):
        raise ValueError(
            f"the residual is {residual.dtype} {tuple(residual.shape)}; it must be as the input: "
            f"{input.dtype} {tuple(input.shape)}, which residual.to(input.dtype).expand_as(input) "
            "may make it"
        )


def _spared(statistic: Tensor | None) -> Tensor | None:
    """A copy for PyTorch to update in the place of the user's; one that requires a gradient is for
    PyTorch to refuse.
    """
    return statistic if statistic is None or statistic.requires_grad else statistic.clone()


def _flat(*parameters: Tensor | None) -> Parameters:
    """Parameters of shape (C, 1) and the like, which PyTorch takes too, as (C,)."""
    running_mean, running_var, weight, bias = (
        None if given is None else given.view(-1) for given in parameters
    )
    return running_mean, running_var, weight, bias


def _ordinary(
    input: Tensor, parameters: Parameters, training: bool, momentum: float, eps: float
) -> bool:
    """Whether every argument is as the contract has it; a False is for PyTorch to judge."""
    if (
        not isinstance(input, torch.Tensor)
        or input.dim() < 2
        or input.dtype not in NAMES
        or not isinstance(momentum, float)
    ):
        return False
    channels = input.shape[1]
    given = [tensor for tensor in parameters if tensor is not None]
    running_mean, running_var = parameters[:2]
    return (
        input.numel() > (channels if training else 0)
        and (running_mean is None) == (running_var is None)
        and (training or running_mean is not None)
        and all(tensor.shape == (channels,) and tensor.device == input.device for tensor in given)
        and len({tensor.dtype for tensor in given}) <= 1
        and all(tensor.dtype == input.dtype or _mixed(input, tensor) for tensor in given)
        and not any(
            tensor.requires_grad for tensor in (running_mean, running_var) if tensor is not None
        )
        and (eps > 0 if training else eps >= 0)
    )


def _mixed(input: Tensor, parameter: Tensor) -> bool:
    return parameter.dtype == torch.float32 and input.dtype in (torch.bfloat16, torch.float16)


def _parameter_dtype(input: Tensor, parameters: Parameters) -> str:
    return NAMES[next((tensor.dtype for tensor in parameters if tensor is not None), input.dtype)]


def _layout(input: Tensor) -> torch.memory_format:
    channels_last = CHANNELS_LAST.get(input.dim())
    if (
        channels_last is None
        or input.is_contiguous()
        or not input.is_contiguous(memory_format=channels_last)
    ):
        return torch.contiguous_format
    return channels_last


def finished(output: Tensor, residual: Tensor | None, activation: str | None) -> Tensor:
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
            "such as "
            "'torch_native', a mapping with `_target_`, or an object (no class) that is an "
            "Implementation"
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
def _plan(
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
    """The layer for one problem, made once: what a call costs must not be lost in bookkeeping.
    Raises ``Unsupported``.
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
        reason = implementation.unsupported(problem, phase, device)
        if reason is not None:
            raise Unsupported(
                f"{type(implementation).__name__} refuses {problem}, {phase}: {reason}"
            )
    return implementation.layer(problem)
