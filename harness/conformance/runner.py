"""One case for one implementation, in a worker."""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.conformance import global_state
from harness.conformance.cases import named
from harness.conformance.checks import check
from harness.conformance.compare import QuantityCheck, failure_summary
from harness.conformance.messages import CaseOutcome
from harness.isolation.failures import refusal_status
from harness.records import CaseFigures, ComparedQuantity, Status
from implementations import Unavailable, Unsupported, registry

NO_REASON = "it gives no reason"


def run(*, implementation: registry.Specification, case: str, device: str = "cpu") -> CaseOutcome:
    """Check the case of that name.

    What the implementation raises in a case on numbers is raised here.
    """
    findings: list[QuantityCheck] = []
    before = global_state.read()
    try:
        findings.extend(check(registry.load(implementation), named(case), device))
    except registry.LoadFailure:
        raise
    except (Unsupported, Unavailable) as refusal:
        if failure_summary(findings) is None:  # a refusal undoes nothing that was found before it
            return CaseOutcome(refusal_status(refusal), str(refusal) or NO_REASON)
    finally:
        findings += global_state.restored(before)
    samples = tuple(map(_compared_quantity, findings))
    wrong = failure_summary(findings)
    if wrong is not None:
        return CaseOutcome(Status.WRONG, wrong, samples=samples)
    return CaseOutcome(Status.OK, None, _figures(findings), samples)


def _figures(findings: Sequence[QuantityCheck]) -> CaseFigures:
    worst = max(findings, key=lambda finding: finding.ratio)
    mistrusted = dict.fromkeys(finding.quantity for finding in findings if finding.mistrusted)
    return CaseFigures(
        worst=worst.ratio,
        quantity=worst.quantity,
        index=worst.index,
        ulp=_finite(worst.ulp),
        comparisons=len(findings),
        mistrusted=tuple(mistrusted),
    )


def _compared_quantity(finding: QuantityCheck) -> ComparedQuantity:
    return ComparedQuantity(
        quantity=finding.quantity,
        passed=finding.passed,
        ratio=_finite(finding.ratio),
        index=finding.index,
        got=_finite(finding.got),
        expected=_finite(finding.expected),
        ulp=_finite(finding.ulp),
        fault=finding.fault,
        mistrusted=finding.mistrusted,
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
