"""What laws are tried on: operands that are drawn, and an implementation's answer with its error
bounds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import torch

from harness.conformance.checks.layer import step
from harness.conformance.compare import ELEMENTWISE, QuantityCheck, worst
from harness.conformance.tolerances import Bounds, bounds
from harness.problems.inputs import make_arrays
from implementations import oracle
from implementations.interface import Arrays, Implementation, Phase, Problem, Results
from implementations.oracle import Array, OracleResults
from implementations.torch_formats import CHANNELS_LAST

Tensor = torch.Tensor
# the data of a law are multiples of 1 / GRID, so that sums and differences of a few are exact
GRID = 256


@dataclass(frozen=True)
class Answer:
    """What an implementation gave for some operands, and what the oracle gives, with what may lie
    between them.
    """

    results: Results
    arrays: Arrays
    exact: OracleResults
    bounds: Bounds

    def values(self, name: str) -> Array:
        """A quantity as the oracle shapes it, (n, C) or (C,)."""
        return (oracle.matrix if name in ELEMENTWISE else oracle.vector)(
            getattr(self.results, name)
        )

    def allowed(self, name: str) -> Array:
        return cast(Array, getattr(self.bounds, name))

    def present(self, *names: str) -> list[str]:
        """Those of the named quantities that this problem has."""
        return [name for name in names if getattr(self.results, name) is not None]

    def found(self, name: str, got: Array, expected: Array, tolerance: Array) -> QuantityCheck:
        return worst(name, got, expected, tolerance, self.results.output.dtype)

    def equals(
        self,
        other: Answer,
        *names: str,
        rows: Sequence[int] | slice = slice(None),
        channels: Sequence[int] | slice = slice(None),
    ) -> Iterator[QuantityCheck]:
        """The other's quantities are these ones, the given rows and channels of them in that
        order.
        """
        for name in self.present(*names):
            place: Any = (rows, slice(None)) if name in ELEMENTWISE else slice(None)
            yield self.found(
                name,
                other.values(name),
                self.values(name)[place][..., channels],
                self.allowed(name)[place][..., channels] + other.allowed(name),
            )


@dataclass(frozen=True)
class Trial:
    """An implementation before a problem."""

    implementation: Implementation
    problem: Problem
    device: str

    def arrays(self, seed: int) -> Arrays:
        """Operands whose data lie on the grid."""
        made = make_arrays(self.problem, seed, device=self.device)
        gridded = {
            name: (getattr(made, name) * GRID).round() / GRID for name in ("input", "grad_output")
        }
        return replace(made, **gridded)

    def answer(self, arrays: Arrays, *, training: bool = True) -> Answer:
        phase = Phase.TRAINING_STEP if training else Phase.BACKWARD_INFERENCE
        results = step(self.implementation, self.problem, arrays, training=training).results()
        exact = oracle.evaluate(self.problem, phase, arrays, mask=oracle.matrix(results.output) > 0)
        return Answer(results, arrays, exact, bounds(self.problem, phase, arrays, exact))

    def given(self, arrays: Arrays, **operands: Tensor) -> Arrays:
        """The arrays with those operands replaced that there are, data in the problem's memory
        format.
        """
        placed = {
            name: self.placed(operand) if operand.dim() > 1 else operand
            for name, operand in operands.items()
            if getattr(arrays, name) is not None
        }
        return replace(arrays, **placed)  # type: ignore[arg-type]  # names of operands

    def placed(self, tensor: Tensor) -> Tensor:
        """A tensor in the problem's memory format."""
        last = self.problem.memory_format == "channels_last"
        return tensor.contiguous(
            memory_format=CHANNELS_LAST[tensor.dim()] if last else torch.contiguous_format
        )

    def with_problem(self, **changes: Any) -> Trial:
        """The same with another problem."""
        return replace(self, problem=replace(self.problem, **changes))


def batches(trial: Trial, momentum: float, seeds: Sequence[int]) -> Iterator[tuple[Answer, float]]:
    """Answers for batches in a row, each with the running statistics of the one before, and its
    weight in the last ones.
    """
    before: Results | None = None
    for number, seed in enumerate(seeds):
        arrays = replace(trial.arrays(seed), momentum=momentum)
        if before is not None:
            arrays = replace(
                arrays, running_mean=before.running_mean, running_var=before.running_var
            )
        answer = trial.answer(arrays)
        before = answer.results
        yield answer, (1 - momentum) ** (len(seeds) - 1 - number)


def rows_of(problem: Problem, order: Sequence[int]) -> Sequence[int]:
    """Where the observations of a permuted batch come from, in a matrix of observations ×
    channels.
    """
    space = problem.reduction // problem.shape[0]
    return [
        int(row) for row in np.arange(problem.reduction).reshape(-1, space)[list(order)].ravel()
    ]
