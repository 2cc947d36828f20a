"""What an implementation's `supports` says of the values that a problem's attributes may take: a
search need not try the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from implementations.interface import Phase, Problem, Supports

FIELDS = {
    "residual": "residual",
    "weight": "weight",
    "bias": "bias",
    "activation": "activations",
    "memory_format": "memory_formats",
    "rank": "ranks",
    "dtype": "dtypes",
}


def taken(supports: Supports, name: str, values: Sequence[Any]) -> list[Any]:
    """Those of the values of an attribute that it takes."""
    return [value for value in values if takes(supports, name, value)]


def takes(supports: Supports, name: str, value: Any) -> bool:
    """``value`` is as `nearest` has it: a dtype is a pair of the data's and the parameters'."""
    if name == "channels":
        return int(value) % supports.channel_multiple == 0
    if name == "dtype":
        data, parameters = value
        value = data if data == parameters else f"{data}/{parameters}"
    field = FIELDS.get(name)
    return field is None or value in getattr(supports, field)


def excluded(
    supports: Supports,
    problem: Problem,
    phases: Sequence[Phase],
    alternatives: Mapping[str, Sequence[Any]],
) -> bool:
    """Whether nothing among the alternatives can make it a problem that is taken."""
    now = {
        **{name: getattr(problem, name) for name in FIELDS if hasattr(problem, name)},
        "rank": len(problem.shape),
        "dtype": (problem.dtype, problem.parameter_dtype),
        "channels": problem.channels,
    }
    refused = [name for name, value in now.items() if not takes(supports, name, value)]
    return not set(phases) <= set(supports.phases) or any(
        not alternatives.get(name) for name in refused
    )
