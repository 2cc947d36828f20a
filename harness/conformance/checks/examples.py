"""What laws are tried on: problems and operands that are drawn, and an implementation's answer with
its error bounds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import torch
from hypothesis import strategies as st

from harness.conformance.checks.layer import step
from harness.conformance.compare import ELEMENTWISE, QuantityCheck, worst
from harness.conformance.tolerances import Bounds, bounds
from harness.problems.inputs import make_arrays
from implementations import oracle
from implementations.interface import (
    DTYPES,
    Arrays,
    Face,
    Implementation,
    Outputs,
    Phase,
    Problem,
    Results,
)
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
        for name in names:
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
        """The arrays with some operands replaced, data in the problem's memory format."""
        placed = {
            name: self.placed(operand) if operand.dim() > 1 else operand
            for name, operand in operands.items()
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


@dataclass(frozen=True)
class OracleExample:
    """Everything about one call that can be chosen."""

    problem: Problem
    phase: Phase
    face: Face
    outputs: Outputs
    seed: int
    mean: float
    scale: float

    def arrays(self, device: str) -> Arrays:
        return make_arrays(self.problem, self.seed, mean=self.mean, scale=self.scale, device=device)


def problems(implementation: Implementation, device: str) -> st.SearchStrategy[Problem]:
    """Affine problems of any shape, in float32 or float64, that the implementation takes."""
    drawn = st.builds(
        _problem, _shapes(), st.booleans(), st.sampled_from([("float32", None), ("float64", None)])
    )
    return drawn.filter(
        lambda problem: implementation.unsupported(problem, Phase.TRAINING_STEP, device) is None
    )


def oracle_examples(
    implementation: Implementation, device: str
) -> st.SearchStrategy[OracleExample]:
    """Calls of any kind that the implementation takes."""
    dtypes = st.sampled_from(
        [*((dtype, None) for dtype in DTYPES), ("bfloat16", "float32"), ("float16", "float32")]
    )
    drawn = st.builds(
        _problem,
        _shapes(),
        st.booleans(),
        dtypes,
        activation=st.sampled_from([None, "relu"]),
        residual=st.booleans(),
        weight=st.booleans(),
        bias=st.booleans(),
    )
    examples = st.builds(
        OracleExample,
        drawn,
        st.sampled_from(list(Phase)),
        st.sampled_from(["layer", "kernel"]),
        st.sampled_from(["fresh", "reused"]),
        st.integers(0, 2**16),
        st.sampled_from([0.0, 1.0, 100.0]),
        st.sampled_from([1.0, 1e-3, 1e3]),
    )
    return examples.filter(
        lambda one: (
            (one.face, one.outputs) != ("layer", "reused")
            and _in_range(one)
            and implementation.unsupported(one.problem, one.phase, device) is None
        )
    )


def _shapes() -> st.SearchStrategy[tuple[int, ...]]:
    # where a size is 1, strides are ambiguous and loops may be skipped
    sizes = st.one_of(st.just(1), st.integers(1, 9))
    space = st.lists(sizes, max_size=3)
    return st.tuples(st.integers(2, 40), st.integers(1, 40), space).map(
        lambda drawn: (*drawn[:2], *drawn[2])
    )


def _problem(
    shape: tuple[int, ...], last: bool, dtypes: tuple[str, str | None], **options: Any
) -> Problem:
    layout = "channels_last" if last and len(shape) in CHANNELS_LAST else "contiguous"
    return Problem(shape, *dtypes, memory_format=layout, **options)


def _in_range(example: OracleExample) -> bool:
    """float16 ends at 65504: the variance of wider data has no parameters to go to."""
    return example.problem.dtype != "float16" or example.scale <= 1


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
