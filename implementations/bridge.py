"""How arrays of another library come and go where the harness has torch tensors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class Bridge:
    """Conversions between torch tensors and a library's own arrays, for functions written on those.

    They should share memory, as NumPy's do: the running statistics are updated in place through
    them, and inputs change in place after they were converted. ``runtime`` names the library and
    tells whether they do, as `Implementation.runtime` describes. ``synchronize`` waits until all
    that the library was asked to compute is done; nothing to do where its calls return when they
    are done.
    """

    runtime: str
    to_native: Callable[[torch.Tensor], Any]
    to_torch: Callable[[Any], torch.Tensor]
    synchronize: Callable[[], None]


def _same(tensor: torch.Tensor) -> torch.Tensor:
    return tensor


def _synchronize_cuda() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


TORCH = Bridge(runtime="torch", to_native=_same, to_torch=_same, synchronize=_synchronize_cuda)


def convert_if_given(convert: Callable[[Any], Any], array: Any) -> Any:
    """``convert(array)``, and None for an operand that is absent."""
    return None if array is None else convert(array)
