"""One case for one implementation, in a worker."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from harness.conformance import global_state
from harness.conformance.cases import Case, named
from harness.conformance.checks import Answer, ask
from harness.conformance.compare import QuantityCheck, failure_summary
from harness.conformance.fitting import difference
from harness.conformance.messages import CaseOutcome
from harness.isolation.failures import refusal_status
from harness.records import CaseFigures, ComparedQuantity, Status
from implementations import Unavailable, Unsupported, registry
from implementations.interface import Deviation, Implementation

NO_REASON = "it gives no reason"


def run(*, implementation: registry.Specification, case: str, device: str = "cpu") -> CaseOutcome:
    """Check the case of that name, fitted to what the implementation supports.

    What the implementation raises in a case on numbers is raised here.
    """
    before, case_ = global_state.read(), named(case)
    answer: Answer | None = None
    changed: list[QuantityCheck] = []
    try:
        loaded = registry.load(implementation)
        answer = ask(loaded, case_, device)
    except registry.LoadFailure:
        raise
    except (Unsupported, Unavailable) as raised:
        status, reason = refusal_status(raised), str(raised) or NO_REASON
    finally:
        changed += global_state.restored(before)
    if answer is None and not changed:
        return CaseOutcome(status, reason)
    return _outcome(loaded, case_, answer or Answer(case_, ()), changed)


def _outcome(
    implementation: Implementation, case: Case, answer: Answer, changed: Sequence[QuantityCheck]
) -> CaseOutcome:
    findings = [*answer.findings, *changed]
    asked = None if answer.refusal is None else difference(case, answer.case)
    samples = tuple(map(_compared_quantity, findings))
    declared = declared_deviation(implementation, case.name)
    wrong = failure_summary(findings)
    if wrong is None:
        figures = replace(_figures(findings), asked=asked, refusal=answer.refusal)
        if declared is not None:
            figures = replace(figures, outdated=str(declared))
        return CaseOutcome(Status.OK, None, figures, samples)
    failed = {finding.quantity for finding in findings if not finding.passed}
    known = declared is not None and declared.covers(failed)
    reason = wrong if asked is None else f"{wrong} (asked {asked}: {answer.refusal})"
    return CaseOutcome(
        Status.WRONG, reason, samples=samples, explanation=str(declared) if known else None
    )


def declared_deviation(implementation: Implementation, case: str) -> Deviation | None:
    """The deviation that the implementation's author declares in that case."""
    return next(
        (found for glob, found in implementation.deviations.items() if fnmatchcase(case, glob)),
        None,
    )


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
