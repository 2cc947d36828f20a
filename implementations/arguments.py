"""The arguments of `batch_norm`: which are as the contract has them, and what is an error."""

from __future__ import annotations

from typing import NamedTuple

import torch

from implementations.problem import ACTIVATIONS
from implementations.torch_formats import DTYPE_NAMES

Tensor = torch.Tensor


class Parameters(NamedTuple):
    """The operands of shape (C,), each of which may be absent."""

    running_mean: Tensor | None
    running_var: Tensor | None
    weight: Tensor | None
    bias: Tensor | None

    def flattened(self) -> Parameters:
        """Those of shape (C, 1) and the like, which PyTorch takes too, as (C,)."""
        return Parameters(*(None if given is None else given.view(-1) for given in self))

    def dtype_name(self, input: Tensor) -> str:
        """The dtype of those that are given, else the input's."""
        given = (tensor.dtype for tensor in self if tensor is not None)
        return DTYPE_NAMES[next(given, input.dtype)]


def check_activation(activation: str | None) -> None:
    """Raises ValueError for an activation that the contract does not know."""
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation is {activation!r}; allowed: None or 'relu'")


def check_residual(residual: object, input: Tensor) -> None:
    """Raises TypeError, ValueError or RuntimeError for a residual that is not of the input's shape,
    dtype and device.
    """
    if residual is None or has_form_of(residual, input):
        return
    if not isinstance(residual, torch.Tensor):
        raise TypeError(
            f"the residual is a {type(residual).__name__}; allowed: None, or a tensor of the "
            "input's shape and dtype"
        )
    if residual.device != input.device:
        raise RuntimeError(
            f"the residual is on {residual.device}, the input on {input.device}; they must be on "
            "one device, which residual.to(input.device) does"
        )
    raise ValueError(
        f"the residual is {residual.dtype} {tuple(residual.shape)}; it must be as the input: "
        f"{input.dtype} {tuple(input.shape)}, which residual.to(input.dtype).expand_as(input) "
        "may make it"
    )


def has_form_of(residual: object, input: Tensor) -> bool:
    """Whether it is a tensor of the input's shape, dtype and device."""
    return (
        isinstance(residual, torch.Tensor)
        and residual.shape == input.shape
        and residual.dtype == input.dtype
        and residual.device == input.device
    )


def check_devices(input: Tensor, parameters: Parameters) -> None:
    """Raises RuntimeError, as PyTorch's own devices do, for an operand on another device than the
    input.
    """
    for name, given in parameters._asdict().items():
        if given is not None and given.device != input.device:
            raise RuntimeError(
                f"{name} is on {given.device}, the input on {input.device}; all operands must be "
                "on one device, which Tensor.to does"
            )


def within_contract(
    input: Tensor, parameters: Parameters, training: bool, momentum: float, eps: float
) -> bool:
    """Whether implementations are made for these arguments. Where not, PyTorch decides what they
    mean, or raises.
    """
    if (
        not isinstance(input, torch.Tensor)
        or input.dim() < 2
        or input.dtype not in DTYPE_NAMES
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
        and all(tensor.dtype == input.dtype or _is_mixed(input, tensor) for tensor in given)
        and not any(
            tensor.requires_grad for tensor in (running_mean, running_var) if tensor is not None
        )
        and (eps > 0 if training else eps >= 0)
    )


def _is_mixed(input: Tensor, parameter: Tensor) -> bool:
    return parameter.dtype == torch.float32 and input.dtype in (torch.bfloat16, torch.float16)
