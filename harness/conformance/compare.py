"""Hold what an implementation left behind against the oracle, quantity by quantity, a few channels
at a time.

What is reported of a quantity is its worst element: the one whose error is the greatest multiple of
its tolerance.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from harness.conformance.exact_results import ExactResults
from harness.conformance.tolerances import blurred
from implementations import oracle
from implementations.interface import Arrays, Phase, Problem, Results
from implementations.oracle import Array
from implementations.torch_formats import CHANNELS_LAST

if TYPE_CHECKING:
    from harness.conformance.errors import ErrorTotals

# elements of the input that are held against the oracle at once: about 200 MB of float64
CHUNK = 1 << 20
TOLD = 3  # findings that a reason quotes
QUANTITIES = tuple(field.name for field in fields(Results))
ELEMENTWISE = frozenset({"output", "grad_input", "grad_residual"})


@dataclass(frozen=True)
class QuantityCheck:
    """What was found of one quantity. ``ratio`` is the worst error over its tolerance; up to 1 is
    right.

    ``index``, ``got``, ``expected`` and ``ulp``, in units in the last place of the quantity's
    dtype, tell of the worst element. ``fault`` is what is wrong beyond a number: a quantity is
    missing, or has another shape, dtype or layout. ``mistrusted`` says that the tolerances are too
    wide for passing to mean anything.
    """

    quantity: str
    ratio: float = 0.0
    index: tuple[int, ...] = ()
    got: float = math.nan
    expected: float = math.nan
    ulp: float = 0.0
    fault: str | None = None
    mistrusted: bool = False

    @property
    def passed(self) -> bool:
        return self.fault is None and self.ratio <= 1

    def __str__(self) -> str:
        if self.fault is not None:
            return f"{self.quantity} {self.fault}"
        return (
            f"{self.quantity}[{', '.join(map(str, self.index))}] is {self.got:.9g}, not "
            f"{self.expected:.9g}: {self.ratio:.3g} × its tolerance, {self.ulp:.3g} ulp"
        )


def compare_with_oracle(
    results: Results,
    problem: Problem,
    phase: Phase,
    arrays: Arrays,
    channels: Sequence[int] | None = None,
    *,
    representable: bool = False,
    exact: ExactResults | None = None,
    errors: ErrorTotals | None = None,
) -> list[QuantityCheck]:
    """One finding for every quantity that there is or should be, over all channels or the given
    ones.

    Running statistics are not judged in the ``backward`` phase, whose forward is no part of the
    work. ``representable`` is `tolerances.bounds`'s. ``exact`` are the results for these operands
    that others are held against, too. ``errors`` are added to, where they are given.
    """
    exact = exact or ExactResults(problem, phase, arrays, representable=representable)
    faults = {
        name: _fault(name, getattr(results, name), problem, phase)
        for name in QUANTITIES
        if not (phase is Phase.BACKWARD and name.startswith("running"))
    }
    comparable = [
        name
        for name, fault in faults.items()
        if fault is None and getattr(results, name) is not None
    ]
    found = {
        name: QuantityCheck(name, math.inf, fault=fault)
        for name, fault in faults.items()
        if fault is not None
    }
    for chunk in _chunks(problem, channels):
        for finding in _compared(comparable, results, exact, chunk, errors):
            before = found.get(finding.quantity, finding)
            worse = max(before, finding, key=lambda one: one.ratio)
            found[finding.quantity] = replace(
                worse, mistrusted=before.mistrusted or finding.mistrusted
            )
    return [found[name] for name in QUANTITIES if name in found]


def failure_summary(findings: Sequence[QuantityCheck]) -> str | None:
    """What is wrong, in one line, worst first; None when nothing is."""
    failed = sorted(
        (finding for finding in findings if not finding.passed), key=lambda finding: -finding.ratio
    )
    more = f"; and {len(failed) - TOLD} more" if len(failed) > TOLD else ""
    return "; ".join(map(str, failed[:TOLD])) + more or None


def worst(
    quantity: str, got: Array, expected: Array, tolerance: Array | float, dtype: torch.dtype
) -> QuantityCheck:
    """The worst element, with its index in the given arrays. An empty quantity passes."""
    if got.size == 0:
        return QuantityCheck(quantity)
    ratio = _ratios(got, expected, tolerance, torch.finfo(dtype).max)
    place = np.unravel_index(int(ratio.argmax()), ratio.shape)
    here, there = float(got[place]), float(expected[place])
    return QuantityCheck(
        quantity,
        float(ratio[place]),
        tuple(map(int, place)),
        here,
        there,
        abs(here - there) / spacing(there, dtype),
    )


def spacing(value: float, dtype: torch.dtype) -> float:
    """The distance between numbers of ``dtype`` around ``value``: one unit in the last place."""
    info = torch.finfo(dtype)
    exponent = math.frexp(max(abs(value), info.tiny))[1] - 1 if math.isfinite(value) else 0
    return math.ldexp(info.eps, exponent)


def _fault(name: str, tensor: torch.Tensor | None, problem: Problem, phase: Phase) -> str | None:
    operand = name.removeprefix("grad_")
    wanted = operand == name or (phase.has_backward and getattr(problem, operand, True))
    if tensor is None:
        return "is missing" if wanted else None
    if not wanted:
        return "is given where there should be none"
    elementwise = name in ELEMENTWISE
    shape = problem.shape if elementwise else (problem.channels,)
    dtype = getattr(torch, str(problem.dtype if elementwise else problem.parameter_dtype))
    if tensor.shape != shape or tensor.dtype != dtype:
        return f"is {tensor.dtype} {tuple(tensor.shape)}; it should be {dtype} {shape}"
    blocked = elementwise and problem.memory_format == "channels_last"
    layout = CHANNELS_LAST[len(shape)] if blocked else torch.contiguous_format
    right = tensor.is_contiguous(memory_format=layout)
    return None if right else f"has strides {tensor.stride()}; it should be {layout}"


def _chunks(problem: Problem, channels: Sequence[int] | None) -> Iterator[Sequence[int]]:
    channels = range(problem.channels) if channels is None else channels
    size = max(1, CHUNK // problem.reduction)
    for start in range(0, len(channels), size):
        yield channels[start : start + size]


def _compared(
    names: Sequence[str],
    results: Results,
    exact_results: ExactResults,
    channels: Sequence[int],
    errors: ErrorTotals | None,
) -> Iterator[QuantityCheck]:
    got = {
        name: (oracle.matrix if name in ELEMENTWISE else oracle.vector)(
            getattr(results, name), channels
        )
        for name in names
    }
    # A mask that differs from the oracle's where z is beyond its tolerance shows in the output.
    mask = got["output"] > 0 if "output" in got else None
    exact, allowed = exact_results.of(channels, mask)
    if errors is not None:
        errors.add(got, exact, channels)
    for name in names:
        tensor = getattr(results, name)
        expected, tolerance = getattr(exact, name), getattr(allowed, name)
        found = worst(name, got[name], expected, tolerance, tensor.dtype)
        yield replace(
            found,
            index=_index(found.index, tensor.shape, channels),
            mistrusted=blurred(expected, tolerance, torch.finfo(tensor.dtype).tiny),
        )


def _index(
    place: tuple[int, ...], shape: Sequence[int], channels: Sequence[int]
) -> tuple[int, ...]:
    """From a place among observations and chosen channels to the tensor's own index."""
    channel = int(channels[place[-1]])
    if len(shape) == 1:
        return (channel,)
    first, *spatial = map(int, np.unravel_index(place[0], (shape[0], *shape[2:])))
    return (first, channel, *spatial)


@np.errstate(invalid="ignore", divide="ignore", over="ignore")
def _ratios(got: Array, expected: Array, tolerance: Array | float, greatest: float) -> Array:
    """Error over tolerance: 0 where the same, NaN and overflow among it; infinite where nothing
    else is known.

    NaN will do where infinity is expected: who takes a shift off first, makes it of infinite input.
    """
    same = (got == expected) | (np.isnan(got) & ~np.isfinite(expected))
    same |= np.isinf(got) & (got * expected > 0) & (abs(expected) + tolerance > greatest)
    ratio = np.where(same, 0.0, abs(got - expected) / tolerance)
    return np.where(np.isnan(ratio), np.inf, ratio)
