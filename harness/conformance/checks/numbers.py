"""Numbers: what a phase of a problem leaves behind, against the oracle, and operands that stay as
they were.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from harness.conformance.cases import NumbersCase
from harness.conformance.checks.snapshots import changed
from harness.conformance.compare import QuantityCheck, compare_with_oracle, failure_summary
from harness.problems.inputs import make_arrays
from harness.problems.tensors import named_tensors
from implementations import Unsupported
from implementations.interface import Arrays, Implementation, Phase, Problem, call_once

SEED = 0


def check(
    implementation: Implementation, case: NumbersCase, device: str
) -> Iterator[QuantityCheck]:
    """Prepare once, call three times, hold what each call leaves against the oracle, and see that
    no operand has changed.
    """
    supported(implementation, case.problem, case.phase, device)
    arrays, untouched = operands(case, device), operands(case, device)
    prepared = implementation.prepare(
        case.problem, case.phase, face=case.face, outputs=case.outputs, arrays=arrays
    )
    for call in ("", "the second call's ", "the third call's "):
        findings = compare_with_oracle(
            call_once(prepared).results(),
            case.problem,
            case.phase,
            untouched,
            representable=case.distribution == "ternary",
        )
        yield from (
            finding if finding.passed else replace(finding, quantity=call + finding.quantity)
            for finding in findings
        )
        if failure_summary(findings) is not None:
            break
    yield from changed(named_tensors(untouched), named_tensors(arrays))


def supported(implementation: Implementation, problem: Problem, phase: Phase, device: str) -> None:
    """Raises ``Unsupported`` with the implementation's own reason."""
    refusal = implementation.unsupported(problem, phase, device)
    if refusal is not None:
        raise Unsupported(str(refusal))


def operands(case: NumbersCase, device: str) -> Arrays:
    """The arrays of a case: the same each time."""
    arrays = make_arrays(
        case.problem,
        SEED,
        distribution=case.distribution,
        mean=case.mean,
        scale=case.scale,
        offset=case.offset,
        device=device,
    )
    if case.fill is not None:
        arrays.input[:, 0] = float(case.fill)
    if case.fill_gradient is not None:
        arrays.grad_output[:, 0] = float(case.fill_gradient)
    if case.zero_weight and arrays.weight is not None:
        arrays.weight[0] = 0
    return replace(arrays, momentum=case.momentum, eps=case.eps)
