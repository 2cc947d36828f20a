"""One case for one implementation, in a worker: data in, plain data out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from harness.conformance import global_state
from harness.conformance.cases import named
from harness.conformance.checks import check
from harness.conformance.compare import Finding, failures
from harness.records import Status
from implementations import Unavailable, Unsupported, registry

NO_REASON = "it gives no reason"


def run(
    progress: Callable[[Any], None],  # noqa: ARG001 -- every service is given it
    *,
    implementation: registry.Specification,
    case: str,
    device: str = "cpu",
) -> dict[str, Any]:
    """Status, reason, figures and samples of the case of that name, for a record.

    ``figures`` has the worst error as a multiple of its tolerance, with its quantity, index and
    size in units in the last place, how many comparisons were made, and which of them prove
    nothing. ``samples`` has all that was found. What the implementation raises in a case on numbers
    is raised here.
    """
    findings: list[Finding] = []
    before = global_state.read()
    try:
        findings.extend(check(registry.load(implementation), named(case), device))
    except registry.LoadFailure:
        raise
    except (Unsupported, Unavailable) as reason:
        if failures(findings) is None:  # a refusal undoes nothing that was found before it
            status = Status.UNSUPPORTED if isinstance(reason, Unsupported) else Status.UNAVAILABLE
            return {"status": status.value, "reason": str(reason) or NO_REASON}
    finally:
        findings += global_state.restored(before)
    samples = list(map(_sample, findings))
    wrong = failures(findings)
    if wrong is not None:
        return {"status": Status.WRONG.value, "reason": wrong, "samples": samples}
    return {"status": Status.OK.value, "figures": _figures(findings), "samples": samples}


def _figures(findings: Sequence[Finding]) -> dict[str, Any]:
    worst = max(findings, key=lambda finding: finding.ratio)
    return {
        "worst": worst.ratio,
        "quantity": worst.quantity,
        "index": list(worst.index),
        "ulp": _finite(worst.ulp),
        "comparisons": len(findings),
        "mistrusted": list(
            dict.fromkeys(finding.quantity for finding in findings if finding.mistrusted)
        ),
    }


def _sample(finding: Finding) -> dict[str, Any]:
    numbers = {
        name: _finite(getattr(finding, name)) for name in ("ratio", "got", "expected", "ulp")
    }
    return {**asdict(finding), **numbers, "index": list(finding.index), "passed": finding.passed}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
