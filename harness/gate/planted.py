"""A slow-down that is real: an implementation that does a known share of its work once more.

Nothing waits or sleeps in it. The same kernel runs again on a part of the batch, in arrays of its
own, so that the extra work uses caches and memory as a slower kernel would.
"""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import final

import torch

from implementations import registry
from implementations.interface import (
    Arrays,
    Face,
    Implementation,
    Layer,
    Outputs,
    Phase,
    Prepared,
    Problem,
    Results,
)

LEAST_BATCH = 2  # a single row has no variance


@final
class Slowed(Implementation):
    """The implementation named by ``of``, with ``share`` of every batch done twice: rounded up to
    whole samples, two at least. A share of 0 is the implementation alone.
    """

    def __init__(self, of: str, share: float = 0.0) -> None:
        if not 0 <= share <= 1:
            raise ValueError(f"share={share} is no part of a batch; give one from 0 to 1")
        self.inner, self.share = registry.load(of), share
        self.supports, self.deviations = self.inner.supports, self.inner.deviations
        self.shares_memory = self.inner.shares_memory

    def unsupported(self, problem: Problem, phase: Phase, device: str) -> str | None:
        return self.inner.unsupported(problem, phase, device)

    def layer(self, problem: Problem) -> Layer:
        return self.inner.layer(problem)

    def prepare(
        self, problem: Problem, phase: Phase, *, face: Face, outputs: Outputs, arrays: Arrays
    ) -> Prepared:
        whole = self.inner.prepare(problem, phase, face=face, outputs=outputs, arrays=arrays)
        if not self.share:
            return whole
        batch = repeated_batch(problem, self.share)
        part = self.inner.prepare(
            replace(problem, shape=(batch, *problem.shape[1:])),
            phase,
            face=face,
            outputs=outputs,
            arrays=_first_samples(arrays, batch),
        )
        return _Repeated(whole, part)


def repeated_batch(problem: Problem, share: float) -> int:
    """How many samples of the batch are done twice."""
    return min(problem.shape[0], max(LEAST_BATCH, ceil(share * problem.shape[0])))


def _first_samples(arrays: Arrays, batch: int) -> Arrays:
    residual = arrays.residual
    return replace(
        arrays,
        input=_copied(arrays.input[:batch]),
        grad_output=_copied(arrays.grad_output[:batch]),
        residual=None if residual is None else _copied(residual[:batch]),
        weight=None if arrays.weight is None else _copied(arrays.weight),
        bias=None if arrays.bias is None else _copied(arrays.bias),
        running_mean=_copied(arrays.running_mean),
        running_var=_copied(arrays.running_var),
    )


def _copied(array: torch.Tensor) -> torch.Tensor:
    return array.detach().clone()


@final
class _Repeated(Prepared):
    """A call of the whole and then of the part; results are those of the whole."""

    def __init__(self, whole: Prepared, part: Prepared) -> None:
        self.whole, self.part = whole, part

    def arm(self, calls: int) -> None:
        self.whole.arm(calls)
        self.part.arm(calls)

    def __call__(self) -> None:
        self.whole()
        self.part()

    def synchronize(self) -> None:
        self.whole.synchronize()
        self.part.synchronize()

    def results(self) -> Results:
        return self.whole.results()
