"""Cases fitted to what an implementation supports: where it refuses a case's problem it is asked
the nearest problem that it takes, so that each property it can have is asked.

Nearest is what changes the fewest attributes, and among those a residual before an activation,
parameters, channels, the layout, the rank, the dtype and the phase. What a case is ``about`` stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, islice, product
from typing import Any

from harness.conformance.cases import Case, DifferencesCase, NumbersCase, RepeatsCase
from harness.conformance.fitting import declared
from harness.conformance.fitting.question import Question
from harness.conformance.fitting.questions import questions
from implementations.interface import (
    MEMORY_FORMATS,
    RANKS,
    Implementation,
    Phase,
    Problem,
    Unsupported,
    refusal,
)

# Sizes of vectors and blocks: a refused number of channels, or of values in a row, is rounded up.
MULTIPLES = (2, 4, 8, 16, 32, 64, 128)
FEWER = (64, 32, 16, 8, 4, 2, 1)  # channels, where even these are too many
ROW = 16
MOST = 3000  # problems of one search: what refuses so many refuses all
FEW = 3  # changes at once, beyond which residual and activation are left out from the start
# In the order in which they are given up.
ATTRIBUTES = (
    "residual",
    "activation",
    "bias",
    "weight",
    "channels",
    "row",
    "memory_format",
    "rank",
    "dtype",
)
Changes = Mapping[str, Any]
# What else of a case is shown where it is asked otherwise.
SETTINGS = ("phase", "face", "outputs", "mode", "method")


@dataclass(frozen=True)
class Fitted:
    """A case as it is asked, and, where that is not as it was written, why."""

    case: Case
    reason: str | None = None


def fitted(implementation: Implementation, case: Case, device: str) -> Fitted:
    """The case, or the nearest one that the implementation takes.

    Raises ``Unsupported`` where it takes none, with its reason for the case as it is written.
    """
    asked = questions(case)
    if not asked:
        return Fitted(case)  # it asks no problem of the implementation
    first = asked[0]
    reason = refused(implementation, first.problem, first.phases, device)
    if reason is None:
        return Fitted(case)
    for question in asked:
        problem = fitted_problem(implementation, question, device)
        if problem is not None:
            return Fitted(question.asking(problem), reason)
    raise Unsupported(reason)


def refused(
    implementation: Implementation, problem: Problem, phases: Sequence[Phase], device: str
) -> str | None:
    """Why one of the phases is refused; None where none is."""
    for phase in phases:
        reason = refusal(implementation, problem, phase, device)
        if reason is not None:
            return str(reason) or "it gives no reason"
    return None


def fitted_problem(
    implementation: Implementation, question: Question, device: str
) -> Problem | None:
    """The nearest problem that the implementation takes in all of the question's phases."""
    supports = implementation.supports
    alternatives = {
        name: declared.taken(supports, name, values)
        for name, values in _alternatives(question).items()
    }
    if declared.excluded(supports, question.problem, question.phases, alternatives):
        return None
    for changes in islice(_nearest_first(alternatives), MOST):
        problem = changed(question.problem, changes)
        if (
            problem is not None
            and question.allows(problem)
            and refused(implementation, problem, question.phases, device) is None
        ):
            return problem
    return None


def ways(case: Case) -> Iterator[Case]:
    """The case, then with fresh outputs and as a layer, where it is not about these: an
    implementation may refuse them only when it is prepared.
    """
    yield case
    if isinstance(case, NumbersCase) and case.outputs == "reused" and "outputs" not in case.about:
        yield replace(case, outputs="fresh")
    if "face" in case.about:
        return
    if isinstance(case, NumbersCase) and case.face == "kernel":
        yield replace(case, face="layer", outputs="fresh")
    if isinstance(case, DifferencesCase | RepeatsCase) and case.face == "kernel":
        yield replace(case, face="layer")


def changed(problem: Problem, changes: Changes) -> Problem | None:
    """The problem with some attributes changed; None where these exclude each other."""
    shape, values = problem.shape, dict(changes)
    if "row" in values:
        shape = (*shape[:-1], values.pop("row"))
    if "rank" in values:
        shape = _of_rank(shape, values.pop("rank"))
    if "channels" in values:
        shape = (shape[0], values.pop("channels"), *shape[2:])
    if "dtype" in values:
        values["dtype"], values["parameter_dtype"] = values["dtype"]
    try:
        return replace(problem, shape=shape, **values)
    except ValueError:  # channels_last of rank 2 or 3
        return None


def _alternatives(question: Question) -> dict[str, list[Any]]:
    """For each attribute that may change, the values that it may take instead."""
    problem = question.problem
    channels, row = problem.channels, problem.shape[-1]
    rounded = [-(-channels // multiple) * multiple for multiple in MULTIPLES]
    fewer = [count for count in FEWER if count < channels]
    values: dict[str, list[Any]] = {
        "residual": [False, True],
        "activation": [None, "relu"],
        "bias": [True, False],
        "weight": [True, False],
        "channels": [*rounded, *fewer],
        "row": [-(-row // ROW) * ROW] if len(problem.shape) > 2 else [],
        "memory_format": list(MEMORY_FORMATS),
        "rank": sorted(RANKS, key=lambda rank: abs(rank - len(problem.shape))),
        "dtype": list(question.dtypes),
    }
    now = {
        **{name: getattr(problem, name) for name in values if hasattr(problem, name)},
        "row": row,
        "rank": len(problem.shape),
        "dtype": (problem.dtype, problem.parameter_dtype),
    }
    return {
        name: [value for value in dict.fromkeys(values[name]) if value != now[name]]
        for name in ATTRIBUTES
        if name not in question.kept
    }


def _nearest_first(alternatives: Mapping[str, Sequence[Any]]) -> Iterator[Changes]:
    """Up to a few changes in all combinations; more of them only without residual and activation,
    so that a search in vain ends soon.
    """
    yield {}
    for count in range(1, FEW + 1):
        yield from _combined(alternatives, count, {})
    bare = {
        name: value
        for name, value in (("residual", False), ("activation", None))
        if value in alternatives.get(name, ())
    }
    others = {name: values for name, values in alternatives.items() if name not in bare}
    for count in range(FEW + 1 - len(bare), len(others) + 1):
        yield from _combined(others, count, bare)


def _combined(
    alternatives: Mapping[str, Sequence[Any]], count: int, always: Changes
) -> Iterator[Changes]:
    for names in combinations(alternatives, count):
        for values in product(*(alternatives[name] for name in names)):
            yield {**always, **dict(zip(names, values, strict=True))}


def _of_rank(shape: tuple[int, ...], rank: int) -> tuple[int, ...]:
    """As many values in another number of sizes; three times as many for each size that is new."""
    batch, channels, *space = shape
    while len(space) > rank - 2:
        last = space.pop()
        if space:
            space[-1] *= last
        else:
            batch *= last
    space += [3] * (rank - 2 - len(space))
    return (batch, channels, *space)


def difference(written: Case, asked: Case) -> str:
    """What was asked instead of what, in words."""
    before, after = questions(written)[0].problem, questions(asked)[0].problem
    names = [
        name for name in SETTINGS if getattr(written, name, None) != getattr(asked, name, None)
    ]
    words = [
        [
            *([str(problem)] if before != after else []),
            *(str(getattr(case, name)) for name in names),
        ]
        for problem, case in ((after, asked), (before, written))
    ]
    return " instead of ".join(", ".join(one) for one in words)
