"""From the configuration's ``problem`` to the problems to solve, each with how often it occurs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING

from harness.config import UsageError, suggestion
from harness.problems.suites import SUITES
from implementations.interface import RANKS, Problem

if TYPE_CHECKING:
    from harness.config import ProblemConfig
    from harness.problems.suites import Shape, Suite

ATTRIBUTES = tuple(field.name for field in fields(Problem) if field.name != "shape")
SIZES = f"{RANKS[0]} to {RANKS[-1]} positive integers"
SHAPE_HELP = (
    f"a shape is N, C and the sizes of space, {SIZES}, such as [32,64,56,56] or 32x64x56x56"
)


def suite(name: str) -> Suite:
    """The suite of that name. Raises ``UsageError`` when there is none."""
    if name not in SUITES:
        allowed = f"{', '.join(SUITES)}, or null to give problem.shapes"
        raise UsageError(
            f"problem.suite={name} is no suite; allowed: {allowed}{suggestion(name, SUITES)}"
        )
    return SUITES[name]


def problems(config: ProblemConfig) -> dict[Problem, int]:
    """The problems of ``config.shapes``, which have batch sizes of their own, or else of
    ``config.suite`` at ``config.batch``.

    The count is how many layers of the suite's network have the shape, or how often the user named
    it. Raises ``UsageError`` where neither is given, or where a shape cannot have the other
    attributes, as one of rank 2 cannot be channels_last: nothing is left out silently.
    """
    attributes = {name: getattr(config, name) for name in ATTRIBUTES}
    found: Counter[Problem] = Counter()
    for shape, count in _shapes(config).items():
        try:
            found[Problem(shape, **attributes)] += count
        except ValueError as error:
            raise UsageError(
                f"no problem of shape {'x'.join(map(str, shape))} can be as configured: {error}; "
                "change that key under problem, or choose other shapes"
            ) from error
    return dict(found)


def _shapes(config: ProblemConfig) -> dict[Shape, int]:
    if config.shapes is None and config.suite is not None:
        return suite(config.suite).shapes(config.batch)
    if config.shapes is None:
        raise UsageError(
            "neither problem.suite nor problem.shapes is given, one is needed; write "
            "'problem.shapes=[[32,64,56,56]]', or problem.suite=NAME with one of "
            f"{', '.join(SUITES)}"
        )
    if not config.shapes:
        raise UsageError(f"problem.shapes=[] holds no shape; {SHAPE_HELP}")
    return dict(Counter(map(_shape, config.shapes)))


def _shape(given: object) -> Shape:
    """A shape as the user wrote it: integers, or a text of them with ``x`` or ``×`` between."""
    sizes: list[object] = []
    if isinstance(given, str):
        sizes = [
            int(size) if size.strip().isdecimal() else size for size in re.split(r"[x×]", given)
        ]
    elif isinstance(given, Sequence):
        sizes = list(given)
    # `type` and not `isinstance`, which takes True for an integer
    shape = tuple(size for size in sizes if type(size) is int and size > 0)
    if len(sizes) not in RANKS or len(shape) < len(sizes):
        raise UsageError(f"problem.shapes holds {given!r}; {SHAPE_HELP}")
    return shape
