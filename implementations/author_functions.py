"""The functions that an author writes: how errors name them, and what they can be called with."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal

from implementations.interface import ContractError

Function = Callable[..., Any]
Role = Literal["forward", "backward", "layer", "refusal"]


def unwrapped(function: Function) -> Function:
    """The function that the author wrote, inside of partials and decorators."""
    while isinstance(function, partial):
        function = function.func
    written: Function = inspect.unwrap(function)
    return written


def described(function: Function, role: Role) -> str:
    """How messages name a function: the forward my_bn.forward (my_bn.py:12)."""
    written = unwrapped(function)
    named: Any = written if hasattr(written, "__qualname__") else type(written)
    module, name = (
        named.__module__.rpartition(".")[2],
        named.__qualname__.rpartition("<locals>.")[2],
    )
    code = getattr(written, "__code__", None)
    where = "" if code is None else f" ({Path(code.co_filename).name}:{code.co_firstlineno})"
    return f"the {role} {module}.{name}{where}"


def check_arguments(function: Function, role: Role, awaited: Function) -> None:
    """Raises ``ContractError`` unless the function can be called with the arguments of the method
    ``awaited`` of the contract, by position.
    """
    _, *names = inspect.signature(awaited).parameters
    if not callable(function):
        raise ContractError(
            f"the {role} is {kind(function)}; it must be a function of ({', '.join(names)})"
        )
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # compiled ones may have none
        return
    try:
        signature.bind(*names)
    except TypeError:
        what = f"takes {signature}; it is called with ({', '.join(names)}), by position"
        raise contract_error(function, role, what) from None


def contract_error(function: Function, role: Role, what: str) -> ContractError:
    """The error that says of a function what it did against the contract."""
    return ContractError(f"{described(function, role)} {what}")


def kind(value: object) -> str:
    return "None" if value is None else f"a {type(value).__name__}"
