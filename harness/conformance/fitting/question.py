"""A question: a problem that a case asks, in some phases, and what would do instead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.conformance.cases import Case
from implementations.interface import Phase, Problem

Dtypes = tuple[str, str]  # of data and parameters
FLOAT32, FLOAT64 = ("float32", "float32"), ("float64", "float64")
WIDE: tuple[Dtypes, ...] = (FLOAT32, FLOAT64)
UNMIXED: tuple[Dtypes, ...] = (*WIDE, ("bfloat16", "bfloat16"), ("float16", "float16"))
ANY: tuple[Dtypes, ...] = (
    *WIDE,
    ("bfloat16", "float32"),
    ("float16", "float32"),
    ("bfloat16", "bfloat16"),
    ("float16", "float16"),
)
TRAINING = (Phase.FORWARD_TRAINING, Phase.BACKWARD)
FROZEN = (Phase.INFERENCE, Phase.BACKWARD_INFERENCE)


@dataclass(frozen=True)
class Question:
    """A problem that is asked in some phases, with the ``dtypes`` that would do as well and the
    attributes that are ``kept``. ``makes`` makes the case for another problem.
    """

    problem: Problem
    phases: tuple[Phase, ...]
    makes: Callable[[Problem], Case] | None = None
    dtypes: tuple[Dtypes, ...] = ANY
    kept: tuple[str, ...] = ()
    accepts: Callable[[Problem], bool] | None = None

    def asking(self, problem: Problem) -> Case:
        """The case for another problem."""
        if self.makes is None:
            raise TypeError("this question belongs to no case")
        return self.makes(problem)

    def allows(self, problem: Problem) -> bool:
        """Whether the case can be asked so."""
        return self.accepts is None or self.accepts(problem)
