"""A checksum of every operand, cheap enough to be taken around each arm: 16 ms for 100 MB on one
core.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import torch

from harness.problems.tensors import integers, named_tensors
from implementations.interface import Arrays

WORDS = 1 << 17  # of 8 bytes, at once: products that stay in a core's cache

Checksum = tuple[object, ...]


@dataclass(frozen=True)
class Checksums:
    """One of each operand, by its name. Copies have the same, wherever they lie in memory."""

    by_name: dict[str, Checksum]


def checksums(arrays: Arrays) -> Checksums:
    """The checksum of every operand that there is.

    Σ word · weight mod 2^64 over each stretch of `WORDS`, with fixed random odd weights: one
    changed word always shows, and any other change or move does but for a chance of 2^-63 or so;
    the sums are kept in order.
    """
    return Checksums({name: _checksum(operand) for name, operand in named_tensors(arrays).items()})


def changed_operands(before: Checksums, after: Checksums) -> str | None:
    """Which operands have other bits, another shape or layout than before; None where none has."""
    others = [
        f"`{name}`"
        for name, checksum in before.by_name.items()
        if after.by_name.get(name) != checksum
    ]
    return f"it changed its input{'s' * (len(others) > 1)} {', '.join(others)}" if others else None


def _checksum(tensor: torch.Tensor) -> Checksum:
    weights = _weights(tensor.device)
    sums = [_dot(words, weights[: len(words)]) for words in _words(tensor)]
    strides = tuple(
        stride for stride, size in zip(tensor.stride(), tensor.shape, strict=True) if size > 1
    )
    return (
        tensor.dtype,
        tuple(tensor.shape),
        strides,
        *(torch.stack(sums).tolist() if sums else ()),
    )


def _dot(words: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """On one thread where it is a CPU's: barriers would wait for whoever else is busy. CUDA has
    none for integers.
    """
    return (words * weights).sum() if words.is_cuda else torch.dot(words, weights)


def _words(tensor: torch.Tensor) -> Iterator[torch.Tensor]:
    """The tensor's values in memory's order as int64, a stretch at a time, filled up with zeros."""
    by_stride = sorted(range(tensor.dim()), key=lambda axis: -int(tensor.stride()[axis]))
    flat = integers(tensor).permute(by_stride).reshape(-1)
    width = 8 // flat.element_size()
    for start in range(0, len(flat), WORDS * width):
        piece = flat[start : start + WORDS * width]
        if len(piece) % width or piece.data_ptr() % 8:
            yield torch.nn.functional.pad(piece, (0, -len(piece) % width)).view(torch.int64)
        else:
            yield piece.view(torch.int64)


@lru_cache
def _weights(device: torch.device) -> torch.Tensor:
    """Drawn from a generator of their own, since the process's is not the harness's to advance."""
    drawn = torch.randint(-(2**62), 2**62, (WORDS,), generator=torch.Generator().manual_seed(0))
    return (2 * drawn + 1).to(device)
