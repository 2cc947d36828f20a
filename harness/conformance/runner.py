"""One case for one implementation, in a worker: data in, plain data out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any

import torch

from harness.conformance.behaviour import check_call, check_module
from harness.conformance.cases import CallCase, Case, ModuleCase, NumbersCase, named
from harness.conformance.compare import Finding, failures, verify
from harness.inputs import make_arrays
from harness.records import Status
from implementations import Unavailable, Unsupported, registry
from implementations.interface import Arrays, Implementation

SEED = 0
NO_REASON = "it gives no reason"


def run(
    progress: Callable[[Any], None],  # noqa: ARG001 -- every service is given it
    *, implementation: registry.Specification, case: str, device: str = "cpu",
) -> dict[str, Any]:
    """Status, reason and figures of the case of that name, for a record.

    ``figures`` has the worst error as a multiple of its tolerance, with its quantity, index and size in units in the
    last place, and how many comparisons were made. What the implementation raises in a case on numbers is raised here.
    """
    try:
        findings = list(check(registry.load(implementation), named(case), device))
    except registry.Broken:
        raise
    except Unsupported as reason:
        return _answer(Status.UNSUPPORTED, str(reason) or NO_REASON)
    except Unavailable as reason:
        return _answer(Status.UNAVAILABLE, str(reason))
    wrong = failures(findings)
    if wrong is not None:
        return _answer(Status.WRONG, wrong)
    worst = max(findings, key=lambda finding: finding.ratio)
    return _answer(Status.OK, None, {
        "worst": worst.ratio, "quantity": worst.quantity, "index": list(worst.index),
        "ulp": worst.ulp if math.isfinite(worst.ulp) else None, "comparisons": len(findings),
    })


def check(implementation: Implementation, case: Case, device: str = "cpu") -> Iterator[Finding]:
    """Everything that was looked at. Raises ``Unsupported`` or ``Unavailable`` where that cannot be."""
    if device == "cuda" and not torch.cuda.is_available():
        raise Unavailable("there is no CUDA device here, or this build of PyTorch cannot use it")
    match case:
        case NumbersCase():
            return check_numbers(implementation, case, device)
        case CallCase():
            return check_call(implementation, case, device)
        case ModuleCase():
            return check_module(implementation, case, device)


def check_numbers(implementation: Implementation, case: NumbersCase, device: str) -> Iterator[Finding]:
    """Prepare once, call twice, hold what each call leaves against the oracle, and see that no operand has changed."""
    refusal = implementation.unsupported(case.problem, case.phase, device)
    if refusal is not None:
        raise Unsupported(str(refusal))
    arrays, untouched = operands(case, device), operands(case, device)
    prepared = implementation.prepare(case.problem, case.phase, face=case.face, outputs=case.outputs, arrays=arrays)
    for call in ("", "the second call's "):
        prepared.arm(1)
        prepared()
        prepared.synchronize()
        findings = verify(prepared.results(), case.problem, case.phase, untouched)
        yield from (finding if finding.passed else replace(finding, quantity=call + finding.quantity)
                    for finding in findings)
        if failures(findings) is not None:
            break
    for field in fields(Arrays):
        given, kept = getattr(arrays, field.name), getattr(untouched, field.name)
        if isinstance(given, torch.Tensor) and not torch.allclose(given, kept, rtol=0, atol=0, equal_nan=True):
            yield Finding(field.name, math.inf, fault="was changed")


def operands(case: NumbersCase, device: str) -> Arrays:
    """The arrays of a case: the same each time."""
    arrays = make_arrays(case.problem, SEED, mean=case.mean, scale=case.scale, device=device)
    if case.fill is not None:
        arrays.input[:, 0] = float(case.fill)
    return replace(arrays, momentum=case.momentum, eps=case.eps)


def _answer(status: Status, reason: str | None, figures: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"status": status.value, "reason": reason, "figures": figures}
