"""What an author's functions return, held against the contract where it comes in.

All of it is cheap enough for each call of a layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch

from implementations.author_functions import Function, Role, contract_error, kind
from implementations.bridge import Bridge
from implementations.interface import Gradients
from implementations.torch_formats import DTYPE_NAMES

Tensor = torch.Tensor

PAIR = "(output, saved): the output, and a tuple of the arrays that the backward needs"
TRIPLE = (
    "(output, saved, statistics): the output, a tuple of the arrays that the backward needs, and "
    "the pair of new running statistics"
)
GRADIENTS = "Gradients(input, residual, weight, bias), with None for absent operands"
PLAIN = (Tensor, torch.nn.Parameter)  # those that have an address


class Form(NamedTuple):
    """What is remembered of an operand whose memory need not be kept."""

    shape: torch.Size
    dtype: torch.dtype

    @staticmethod
    def of(operand: Tensor) -> Form:
        return Form(operand.shape, operand.dtype)


def forward_values(
    returned: Any, forward: Function, *, immutable: bool
) -> tuple[Any, Sequence[Any], Sequence[Any]]:
    """The output, what is saved, and the new running statistics where arrays are immutable, else
    nothing.
    """
    if not isinstance(returned, tuple | list) or len(returned) != 2 + immutable:
        wanted = TRIPLE if immutable else PAIR
        what = f"returned {_counted(returned)}; it must return {wanted}"
        raise contract_error(forward, "forward", what)
    output, saved, *rest = returned
    if not isinstance(saved, tuple | list):
        what = f"returned {kind(saved)} as what it saves; it must be a tuple, even of one array"
        raise contract_error(forward, "forward", what)
    statistics = rest[0] if immutable else ()
    if immutable and not (isinstance(statistics, tuple | list) and len(statistics) == 2):
        what = (
            f"returned {_counted(statistics)} as the new running statistics; they must be the pair "
            "(running_mean, running_var), of None where they are absent"
        )
        raise contract_error(forward, "forward", what)
    return output, saved, statistics


def to_tensor(array: Any, bridge: Bridge, function: Function, role: Role, meaning: str) -> Tensor:
    """The array as a tensor. Raises ``ContractError`` for what is no array of the library."""
    try:
        tensor: Any = bridge.to_torch(array)
    except Exception as error:
        what = (
            f"returned {kind(array)} as {meaning}; it must be an array that the bridge converts "
            f"({type(error).__name__}: {error})"
        )
        raise contract_error(function, role, what) from error
    if not isinstance(tensor, Tensor):
        what = f"returned {kind(array)} as {meaning}; it must be an array"
        raise contract_error(function, role, what)
    return tensor


def saved_tensor(array: Any, place: int, bridge: Bridge, forward: Function) -> Tensor | None:
    """A saved array as a tensor; None as it is."""
    if array is None:
        return None
    meaning = f"saved[{place}], of which autograd keeps arrays and None only"
    return to_tensor(array, bridge, forward, "forward", meaning)


def check_output(output: Any, operands: Sequence[Any], function: Function, role: Role) -> None:
    """Raises ``ContractError`` unless the output is a tensor as the input, in memory of its own.

    ``operands`` are the input, the residual or None, and others.
    """
    input, residual = operands[:2]
    if not isinstance(output, Tensor):
        what = f"returned {kind(output)} as the output; it must be one array, as the input"
        raise contract_error(function, role, what)
    _check_form(output, input, "the output", "the input", function, role)
    for name, operand in (("input", input), ("residual", residual)):
        if operand is not None and _have_same_memory(output, operand):
            what = (
                f"returned the memory of the {name} as the output; it must return an array of its "
                "own, such as a copy"
            )
            raise contract_error(function, role, what)


def check_written(
    returned: Tensor, out: Any, bridge: Bridge, meaning: str, function: Function, role: Role
) -> None:
    """Raises ``ContractError`` where what came back is not the array that was given to write to."""
    if out is None or returned.data_ptr() == bridge.to_torch(out).data_ptr():
        return
    what = (
        f"was given an array to write to and returned another, as {meaning}; write to `out`, or "
        "refuse reused outputs (`fresh_outputs_only` of implementations.adapters, or Unsupported "
        "raised in prepare)"
    )
    raise contract_error(function, role, what)


def gradient_tensors(
    returned: Any,
    operands: Sequence[Tensor | Form | None],
    bridge: Bridge,
    backward: Function,
    outs: Sequence[Any] = (None, None, None, None),
) -> Gradients:
    """The gradients as tensors, each as its operand, None for absent ones; in ``outs`` where these
    are given.
    """
    if not isinstance(returned, tuple | list) or len(returned) != len(Gradients._fields):
        what = f"returned {_counted(returned)}; it must return {GRADIENTS}"
        raise contract_error(backward, "backward", what)
    return Gradients(
        *(
            _gradient_tensor(*named, bridge, backward)
            for named in zip(Gradients._fields, returned, operands, outs, strict=True)
        )
    )


def statistic_tensors(
    statistics: Sequence[Any], given: Sequence[Tensor], bridge: Bridge, forward: Function
) -> list[Tensor]:
    """New running statistics as tensors, each as the old one."""
    made = []
    for name, new, old in zip(("running_mean", "running_var"), statistics, given, strict=True):
        tensor = to_tensor(new, bridge, forward, "forward", f"the new {name}")
        _check_form(tensor, old, f"the new {name}", "the old one", forward, "forward")
        made.append(tensor)
    return made


def _gradient_tensor(
    name: str,
    array: Any,
    operand: Tensor | Form | None,
    out: Any,
    bridge: Bridge,
    backward: Function,
) -> Tensor | None:
    if operand is None and array is not None:
        what = f"returned a gradient of the {name}, which is absent; it must return None there"
        raise contract_error(backward, "backward", what)
    if operand is None:
        return None
    meaning = f"the gradient of the {name}"
    gradient = to_tensor(array, bridge, backward, "backward", meaning)
    _check_form(gradient, operand, meaning, f"the {name}", backward, "backward")
    check_written(gradient, out, bridge, meaning, backward, "backward")
    return gradient


def _check_form(
    tensor: Tensor,
    like: Tensor | Form,
    meaning: str,
    like_what: str,
    function: Function,
    role: Role,
) -> None:
    if tensor.shape != like.shape or tensor.dtype != like.dtype:
        what = (
            f"returned {_form(tensor)} as {meaning}; it must have the shape and dtype of "
            f"{like_what}: {_form(like)}"
        )
        raise contract_error(function, role, what)


def _have_same_memory(one: Tensor, other: Tensor) -> bool:
    """Whether both begin at one address. Tensors without one are left to the checks of results."""
    if type(one) not in PLAIN or type(other) not in PLAIN or torch.compiler.is_compiling():
        return False
    return one.data_ptr() == other.data_ptr() != 0


def _form(tensor: Tensor | Form) -> str:
    return f"{DTYPE_NAMES.get(tensor.dtype, tensor.dtype)} {tuple(tensor.shape)}"


def _counted(returned: object) -> str:
    if not isinstance(returned, tuple | list):
        return f"{kind(returned)} alone"
    return f"{len(returned)} value{'s' * (len(returned) != 1)}"
