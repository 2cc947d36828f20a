"""What an implementation takes and where it deviates, declared as data.

This module imports no array library, so that a listing of implementations costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from implementations.problem import ACTIVATIONS, DTYPES, MEMORY_FORMATS, RANKS, Phase, Problem

# Of the data, or of data/parameters where these differ.
DTYPE_PAIRS = (*DTYPES, "bfloat16/float32", "float16/float32")
DEVICES = ("cpu", "cuda")
PRESENT_OR_NOT = (True, False)
SENTENCES = {
    "devices": "it computes on {taken}, not on {given}",
    "phases": "it does {taken}, not {given}",
    "dtypes": "it takes data of {taken}, not {given}",
    "ranks": "it takes input of rank {taken}, not {given}",
    "memory_formats": "it takes {taken} input, not {given}",
    "activations": "it takes activation {taken}, not {given}",
}


@dataclass(frozen=True)
class Supports:
    """The problems that an implementation takes, all by default. Each field lists the values that
    it takes of that attribute; ``residual``, ``weight`` and ``bias`` whether the operand may be
    present and absent. ``dtypes`` are the data's, or "bfloat16/float32" for float32 parameters
    beside bfloat16 data. The number of channels is a multiple of ``channel_multiple``.

    A problem outside is UNSUPPORTED, with a reason made from these data.

        Supports(dtypes=("float32",), residual=(False,), channel_multiple=16)
    """

    dtypes: tuple[str, ...] = DTYPE_PAIRS
    ranks: tuple[int, ...] = tuple(RANKS)
    memory_formats: tuple[str, ...] = MEMORY_FORMATS
    activations: tuple[str | None, ...] = ACTIVATIONS
    residual: tuple[bool, ...] = PRESENT_OR_NOT
    weight: tuple[bool, ...] = PRESENT_OR_NOT
    bias: tuple[bool, ...] = PRESENT_OR_NOT
    channel_multiple: int = 1
    phases: tuple[Phase, ...] = tuple(Phase)
    devices: tuple[str, ...] = DEVICES

    def __post_init__(self) -> None:
        for field in fields(self):
            given, default = getattr(self, field.name), field.default
            if not isinstance(default, tuple):
                continue
            listed = isinstance(given, tuple | list | frozenset | set) and len(given) > 0
            if not (listed and set(given) <= set(default)):
                raise ValueError(
                    f"Supports({field.name}={given!r}) is not possible; "
                    f"allowed: a tuple of some of {_words(default)}"
                )
        multiple = self.channel_multiple
        if not isinstance(multiple, int) or isinstance(multiple, bool) or multiple < 1:
            raise ValueError(
                f"Supports(channel_multiple={multiple!r}) is not possible; allowed: 1 or more"
            )

    def refusal(self, problem: Problem, phase: Phase, device: str) -> str | None:
        """Why a problem is outside, in a sentence; None where it is not."""
        asked = {
            "devices": device,
            "phases": phase,
            "dtypes": dtype_pair(problem),
            "ranks": len(problem.shape),
            "memory_formats": problem.memory_format,
            "activations": problem.activation,
        }
        for name, value in asked.items():
            taken = getattr(self, name)
            if value not in taken:
                return SENTENCES[name].format(taken=_words(taken), given=value or "none")
        for name in ("residual", "weight", "bias"):
            if getattr(problem, name) not in getattr(self, name):
                return f"it takes no {name}" if getattr(problem, name) else f"it needs a {name}"
        if problem.channels % self.channel_multiple:
            return (
                f"it takes channels in multiples of {self.channel_multiple}, not {problem.channels}"
            )
        return None


@dataclass(frozen=True)
class Deviation:
    """That an implementation fails a conformance case, and why, as its author declares it.

    ``source`` is where that can be read. ``quantities`` are those that fail, all by default: where
    another fails too the case is a failure like any other.
    """

    reason: str
    source: str
    quantities: tuple[str, ...] = ()

    def covers(self, failed: set[str]) -> bool:
        """Whether exactly such a failure was declared."""
        return bool(failed) and (not self.quantities or failed <= set(self.quantities))

    def __str__(self) -> str:
        return f"{self.reason} ({self.source})"


def dtype_pair(problem: Problem) -> str:
    """The dtype of the data, or of data/parameters where they differ."""
    if problem.parameter_dtype == problem.dtype:
        return problem.dtype
    return f"{problem.dtype}/{problem.parameter_dtype}"


def _words(values: Any) -> str:
    return ", ".join("none" if value is None else str(value) for value in values)
