"""The least bytes that batch norm must move: a lower bound for any implementation, derived from the
laws of `interface`.

An operand is read once and a result written once. With b bytes an element:

    forward          reads x and the residual, writes the output: 2·b an element, 3·b with a
                     residual
    backward         reads dy, writes dinput, and reads x where dweight or dinput depend on it,
                     which is in training, or where there is a weight: 3·b an element in training
    dresidual        is dz. Under ReLU that is an array of its own, written with b. Without an
                     activation it is dy itself, and costs nothing, unless it has to be written to
                     an array that was given (outputs reused)
    ReLU's mask      is recomputed where x is read and there is no residual, from the weight, bias
                     and statistics. All but the bias are read anyway, and that is not counted:
                     where channels are small a mask would be fewer bytes. Else one bit an element
                     is read, less than any array it could be recomputed from; within a training
                     step the forward has to write it, before a backward alone it was written
                     untimed
    per channel      weight, bias, running statistics, in training the saved mean and 1/sqrt(var +
                     eps), and dweight and dbias, each in the parameters' dtype. Writing saved
                     statistics is not counted

In training, sums over a channel come before the first of its results. So x, and in a backward dy as
well, is needed twice, and is read twice except for what a cache keeps in between. The least that
can be worked on at a time is one unit:

    contiguous       a channel: reduction·b bytes, but whole cache lines of every sample, where a
                     channel has fewer bytes
    channels_last    a line of channels, and so in rank 2: 64 bytes of every row

A backward's unit is that of x and of dy. Of every unit what exceeds ``cache_bytes`` is read again:
its size, times max(0, 1 - cache_bytes / unit). Frozen statistics need one pass: sums are then
results only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import prod

from harness.environment.machine import Processor
from implementations.interface import Face, Outputs, Phase, Problem

BITS = {"float64": 64, "float32": 32, "bfloat16": 16, "float16": 16}
LINE = 64  # bytes of a cache line, on every machine that this runs on
UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30}
# Where the kernel does not tell: a server's of the 2020s, rather large than small, since a floor
# must not be too high.
DEFAULT_SIZES = {"L3": "32M", "L2": "2M"}


@dataclass(frozen=True)
class Stream:
    """Bytes of one array that are moved in a pass; the same name is the same array."""

    name: str
    bytes: int


@dataclass(frozen=True)
class Pass:
    """What is read and written side by side."""

    reads: tuple[Stream, ...]
    writes: tuple[Stream, ...]

    @property
    def bytes(self) -> int:
        return sum(stream.bytes for stream in (*self.reads, *self.writes))


@dataclass(frozen=True)
class Traffic:
    """Passes, one after the other."""

    passes: tuple[Pass, ...]

    @property
    def bytes(self) -> int:
        return sum(one.bytes for one in self.passes)


def traffic(
    problem: Problem, phase: Phase, *, face: Face, outputs: Outputs, cache_bytes: int
) -> Traffic:
    """The least bytes of one call. Raises ``ValueError`` for reused outputs of a layer, which
    allocates them.
    """
    if face == "layer" and outputs == "reused":
        raise ValueError(
            "outputs='reused' is not possible with face='layer', whose outputs autograd allocates; "
            "allowed: outputs='fresh', or face='kernel'"
        )
    forward = _forward(problem, phase, cache_bytes) if phase.has_forward else ()
    backward = _backward(problem, phase, outputs, cache_bytes) if phase.has_backward else ()
    return Traffic((*forward, *backward))


def cache_bytes(processor: Processor, threads: int) -> int:
    """The last-level cache and each thread's L2, added up as if neither kept a copy of the other's.

    Where the kernel names no L3, the L2s are all. One L3 is counted: a process whose threads lie on
    several has more than this.
    """
    sizes = processor.caches if processor.caches.keys() & DEFAULT_SIZES.keys() else DEFAULT_SIZES
    return _cache(sizes.get("L3", "0")) + threads * _cache(sizes.get("L2", "0"))


def _cache(size: str) -> int:
    """Bytes, from a size as the kernel writes it: "32768K"."""
    match = re.fullmatch(r"(\d+)([KMG]?)", size)
    if match is None:
        raise ValueError(
            f"{size!r} is no size of a cache; allowed: a number with K, M, G or nothing behind it"
        )
    return int(match[1]) * UNITS[match[2]]


def _forward(problem: Problem, phase: Phase, cache_bytes: int) -> tuple[Pass, ...]:
    statistics = ("running_mean", "running_var")
    reads = _data(problem, *["residual"] * problem.residual) + _parameters(
        problem, *_affine(problem), *statistics
    )
    writes = _data(problem, "output")
    if phase.training:
        writes += _parameters(problem, *statistics)
    if phase.has_backward and _mask_is_stored(problem, phase):
        writes += _mask(problem)
    left = _left_over(problem, 1, cache_bytes) if phase.training else 0
    return _passes(_data(problem, "input"), (), left, reads, writes)


def _backward(
    problem: Problem, phase: Phase, outputs: Outputs, cache_bytes: int
) -> tuple[Pass, ...]:
    stored = _mask_is_stored(problem, phase)
    statistics = (
        ("saved_mean", "saved_invstd")
        if phase.training
        else ("running_mean",) * problem.weight + ("running_var",)
    )
    reads = _parameters(problem, *statistics, *["weight"] * problem.weight)
    written = problem.residual and (problem.activation is not None or outputs == "reused")
    writes = _data(problem, "grad_input", *["grad_residual"] * written)
    writes += _parameters(problem, *(f"grad_{name}" for name in _affine(problem)))
    needed = _data(problem, "grad_output", *["input"] * _input_is_needed(problem, phase))
    left = _left_over(problem, 2, cache_bytes) if phase.training else 0
    return _passes(needed, _mask(problem) if stored else (), left, reads, writes)


def _passes(
    twice: tuple[Stream, ...],
    first: tuple[Stream, ...],
    left: int,
    reads: tuple[Stream, ...],
    writes: tuple[Stream, ...],
) -> tuple[Pass, ...]:
    """One pass, or two where ``left`` bytes of each of ``twice`` are no longer cached when they are
    needed again.
    """
    if left == 0:
        return (Pass((*twice, *first, *reads), writes),)
    again = tuple(Stream(stream.name, left) for stream in twice)
    return (Pass((*twice, *first), ()), Pass((*again, *reads), writes))


def _left_over(problem: Problem, arrays: int, cache_bytes: int) -> int:
    """How many bytes of each array do not stay, where so many of them are needed twice."""
    whole = _data_bytes(problem)
    unit = arrays * min(_rows_and_run(problem), whole)
    return whole * max(0, unit - cache_bytes) // unit


def _rows_and_run(problem: Problem) -> int:
    """The bytes of one array that belong to the fewest channels that can be worked on at a time."""
    if problem.memory_format == "channels_last":
        return problem.reduction * LINE
    return problem.shape[0] * max(LINE, prod(problem.shape[2:]) * BITS[problem.dtype] // 8)


def _input_is_needed(problem: Problem, phase: Phase) -> bool:
    return phase.training or problem.weight


def _mask_is_stored(problem: Problem, phase: Phase) -> bool:
    return problem.activation is not None and (
        problem.residual or not _input_is_needed(problem, phase)
    )


def _affine(problem: Problem) -> tuple[str, ...]:
    return ("weight",) * problem.weight + ("bias",) * problem.bias


def _data_bytes(problem: Problem) -> int:
    return problem.size * BITS[problem.dtype] // 8


def _data(problem: Problem, *names: str) -> tuple[Stream, ...]:
    return tuple(Stream(name, _data_bytes(problem)) for name in names)


def _mask(problem: Problem) -> tuple[Stream, ...]:
    return (Stream("mask", -(-problem.size // 8)),)


def _parameters(problem: Problem, *names: str) -> tuple[Stream, ...]:
    size = problem.channels * BITS[problem.parameter_dtype or problem.dtype] // 8
    return tuple(Stream(name, size) for name in names)
