"""The conformance cases, as data. A name is ``group/what``, without a character that a shell or
Hydra would take apart.

    numbers      phases, layouts, dtypes, shapes, threads, exact, data: against the float64 oracle
    behaviour    samples, onnx, edges, strided, errors, module: against PyTorch, or ONNX's
                 conventions
    relations    gradients, laws, repeats: against the implementation's own answers to related
                 questions

This package imports no array library: a plan needs names only.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cache

from harness.conformance.cases.behaviour import BEHAVIOUR
from harness.conformance.cases.kinds import (
    OF_INPUT,
    CallCase,
    Case,
    DifferencesCase,
    LawCase,
    ModuleCase,
    NumbersCase,
    OnnxCase,
    RepeatsCase,
)
from harness.conformance.cases.numbers import NUMBERS
from harness.conformance.cases.properties import PROPERTIES
from harness.conformance.cases.relations import RELATIONS
from harness.records import plain_fields

__all__ = [
    "CASES",
    "OF_INPUT",
    "PROPERTIES",
    "CallCase",
    "Case",
    "DifferencesCase",
    "LawCase",
    "ModuleCase",
    "NumbersCase",
    "OnnxCase",
    "RepeatsCase",
    "described",
    "matching",
    "named",
]


def _in_order(*cases: Case) -> tuple[Case, ...]:
    """By property, as the matrix has them, and as written within one."""
    order = list(PROPERTIES)
    return tuple(sorted(cases, key=lambda case: order.index(case.name.partition("/")[0])))


CASES = _in_order(*NUMBERS, *BEHAVIOUR, *RELATIONS)


def matching(pattern: str, *, thorough: bool = False) -> list[Case]:
    """The cases whose names match a glob, in their order. A case named in full is there, however
    thorough it is.
    """
    return [
        case
        for case in CASES
        if fnmatchcase(case.name, pattern)
        and (thorough or not case.thorough or case.name == pattern)
    ]


def named(name: str) -> Case:
    """The case of that name. Raises KeyError where there is none."""
    return {case.name: case for case in CASES}[name]


@cache  # a sweep asks for the same ones job after job
def described(case: Case) -> dict[str, object]:
    """All that defines a case beside its name, threads and thoroughness, as plain data."""
    elsewhere = {"name", "fixed_threads", "thorough"}
    return {name: value for name, value in plain_fields(case).items() if name not in elsewhere}
