"""How arrays of another library come and go where the harness has torch tensors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch


def _done() -> None:
    """For libraries whose calls return when they are done."""


@dataclass(frozen=True)
class Bridge:
    """Conversions between torch tensors and a library's own arrays, for functions written on those.

    They should share memory, as NumPy's do: inputs change in place after they were converted, and
    functions write to the running statistics through them. ``to_native`` is given tensors that may
    be strided; ``to_torch`` whatever the functions return or save.

    synchronize: waits until all that the library was asked to compute is done; nothing to do where
        its calls return when they are done.
    shares_memory: False where ``to_native`` may copy; see `Implementation.shares_memory`.
    immutable: True where arrays cannot be changed, or where they are copies. A forward then returns
        a third value, the pair of new running statistics, and no function is ever given ``out``:
        reused outputs are refused.
    """

    to_native: Callable[[torch.Tensor], Any]
    to_torch: Callable[[Any], torch.Tensor]
    synchronize: Callable[[], None] = _done
    shares_memory: bool = True
    immutable: bool = False


def _same(tensor: torch.Tensor) -> torch.Tensor:
    return tensor


def _synchronize_cuda() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


TORCH = Bridge(to_native=_same, to_torch=_same, synchronize=_synchronize_cuda)


def convert_if_given(convert: Callable[[Any], Any], array: Any) -> Any:
    """``convert(array)``, and None for an operand that is absent."""
    return None if array is None else convert(array)
