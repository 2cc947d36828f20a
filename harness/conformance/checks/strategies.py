"""What laws draw: problems, and calls of any kind, fitted to what an implementation takes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, TypeVar

from hypothesis import strategies as st

from harness.conformance.fitting import Question, fitted_problem
from harness.conformance.fitting.question import WIDE
from harness.problems.inputs import make_arrays
from implementations.interface import DTYPES, Arrays, Face, Implementation, Outputs, Phase, Problem
from implementations.torch_formats import CHANNELS_LAST

Drawn = TypeVar("Drawn")
MOST_IN_VAIN = 3  # searches, before one that refuses everything is asked no more


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


class _Fitting:
    """Looks for the nearest problem that an implementation takes. A search in vain asks it
    thousands of problems, so where the first few find nothing there is no other.
    """

    def __init__(self, implementation: Implementation, device: str) -> None:
        self._implementation, self._device = implementation, device
        self._in_vain: int | None = 0  # None once something was found

    def nearest(self, question: Question) -> Problem | None:
        if self._in_vain == MOST_IN_VAIN:
            return None
        found = fitted_problem(self._implementation, question, self._device)
        if found is not None:
            self._in_vain = None
        elif self._in_vain is not None:
            self._in_vain += 1
        return found


@lru_cache(maxsize=4)
def _fitting(implementation: Implementation, device: str) -> _Fitting:
    """One for all draws of a law, each of which makes its strategy anew."""
    return _Fitting(implementation, device)


def problems(implementation: Implementation, device: str) -> st.SearchStrategy[Problem]:
    """Affine problems of any shape, in float32 or float64, the nearest that the implementation
    takes.
    """
    drawn = st.builds(
        _problem, _shapes(), st.booleans(), st.sampled_from([("float32", None), ("float64", None)])
    )
    phases = (Phase.FORWARD_TRAINING, Phase.BACKWARD)
    fitting = _fitting(implementation, device)

    def fit(problem: Problem) -> list[Problem]:
        question = Question(problem, phases, dtypes=WIDE, kept=("weight", "bias"))
        found = fitting.nearest(question)
        return [] if found is None else [found]

    return _only(drawn.map(fit))


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

    fitting = _fitting(implementation, device)

    def fit(example: OracleExample) -> list[OracleExample]:
        found = fitting.nearest(Question(example.problem, (example.phase,)))
        fitted = [] if found is None else [replace(example, problem=found)]
        return list(filter(_in_range, fitted))

    drawn_ways = examples.filter(lambda one: (one.face, one.outputs) != ("layer", "reused"))
    return _only(drawn_ways.map(fit))


def _only(found: st.SearchStrategy[list[Drawn]]) -> st.SearchStrategy[Drawn]:
    """The one example that there is in each list; an empty list is passed over."""
    return found.filter(bool).map(lambda one: one[0])


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
