"""Numbers: what a phase of a problem leaves behind, against the oracle, and operands that stay as
they were.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from harness.conformance.cases import NumbersCase
from harness.conformance.checks.pytorch_reference import laid_out
from harness.conformance.checks.snapshots import changed
from harness.conformance.compare import QuantityCheck, compare_with_oracle, failure_summary
from harness.problems.inputs import make_arrays, with_odd_strides
from harness.problems.tensors import named_tensors
from implementations import Unsupported
from implementations.interface import (
    Arrays,
    Implementation,
    Phase,
    Prepared,
    Problem,
    Results,
    call_once,
    refusal,
)

SEED = 0


def check(
    implementation: Implementation, case: NumbersCase, device: str
) -> Iterator[QuantityCheck]:
    """Prepare once, call three times, hold what each call leaves against the oracle, and see that
    no operand has changed; then once with each refill.
    """
    supported(implementation, case.problem, case.phase, device)
    arrays, untouched = operands(case, device), operands(case, device)
    prepared = _prepared(implementation, case, arrays)
    for call in ("", "the second call's ", "the third call's "):
        findings = compare_with_oracle(
            _judged(call_once(prepared).results(), case),
            case.problem,
            case.phase,
            untouched,
            representable=case.distribution == "ternary",
        )
        yield from _named(findings, call)
        wrong = failure_summary(findings) is not None
        if wrong:
            break
    yield from changed(named_tensors(untouched), named_tensors(arrays))
    for value in () if wrong else case.refills:
        for given in (arrays, untouched):
            given.input[:, 0] = float(value)
        # one that may have copied its input is prepared again
        if not implementation.shares_memory:
            prepared = _prepared(implementation, case, arrays)
        results = call_once(prepared).results()
        yield from _named(_refilled(results, case, untouched), f"filled with {value}, ")


def _prepared(implementation: Implementation, case: NumbersCase, arrays: Arrays) -> Prepared:
    return implementation.prepare(
        case.problem, case.phase, face=case.face, outputs=case.outputs, arrays=arrays
    )


def _judged(results: Results, case: NumbersCase) -> Results:
    """The results, of which the input's gradient may lie in memory as the output's does, where
    that fits two layouts.
    """
    gradient = results.grad_input
    if "grad_output" not in case.odd_strides or gradient is None:
        return results
    return replace(results, grad_input=laid_out(gradient, case.problem.memory_format))


def _named(findings: list[QuantityCheck], call: str) -> Iterator[QuantityCheck]:
    """What fails is reported with the call that it failed in."""
    return (
        finding if finding.passed else replace(finding, quantity=call + finding.quantity)
        for finding in findings
    )


def _refilled(results: Results, case: NumbersCase, arrays: Arrays) -> list[QuantityCheck]:
    """The output of channel 0, and everything of the others: what ReLU's slope is at NaN is left
    open, and so are the gradients of a channel of NaN.
    """
    channels = range(case.problem.channels)
    forward = Phase.FORWARD_TRAINING if case.phase.training else Phase.INFERENCE
    if case.phase is Phase.BACKWARD:  # its forward is no part of the work
        return compare_with_oracle(results, case.problem, case.phase, arrays, channels[1:])
    alone = replace(results, grad_input=None, grad_residual=None, grad_weight=None, grad_bias=None)
    return [
        *compare_with_oracle(alone, case.problem, forward, arrays, channels[:1]),
        *compare_with_oracle(results, case.problem, case.phase, arrays, channels[1:]),
    ]


def supported(implementation: Implementation, problem: Problem, phase: Phase, device: str) -> None:
    """Raises ``Unsupported`` with the implementation's own reason."""
    reason = refusal(implementation, problem, phase, device)
    if reason is not None:
        raise Unsupported(str(reason))


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
    odd = {name: with_odd_strides(getattr(arrays, name)) for name in case.odd_strides}
    return replace(arrays, momentum=case.momentum, eps=case.eps, **odd)
