"""Batch normalization, several ways behind one interface.

    names() -> tuple[str, ...]              the implementations that are installed, this package's
                                            and others'
    load(name) -> Implementation            raises Unavailable(reason)
    batch_norm(input, ..., implementation)  torch.nn.functional.batch_norm over any of them; raises
                                            Unsupported(reason), or ContractError where an
                                            author's function breaks the contract
    BatchNorm(num_features, ..., implementation=...)   a drop-in for torch.nn.BatchNorm1d, 2d and 3d
    convert(model, implementation)          every batch norm of a model replaced, on the same
                                            weights

Importing this package imports no array library: what needs torch is imported when it is first asked
for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from implementations.interface import ContractError, Unsupported
from implementations.registry import Unavailable, load, names

if TYPE_CHECKING:
    from implementations.conversion import convert
    from implementations.functional import batch_norm
    from implementations.module import BatchNorm

__all__ = [
    "BatchNorm",
    "ContractError",
    "Unavailable",
    "Unsupported",
    "batch_norm",
    "convert",
    "load",
    "names",
]


def __getattr__(name: str) -> Any:
    if name == "batch_norm":
        from implementations.functional import batch_norm

        return batch_norm
    if name == "BatchNorm":
        from implementations.module import BatchNorm

        return BatchNorm
    if name == "convert":
        from implementations.conversion import convert

        return convert
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
