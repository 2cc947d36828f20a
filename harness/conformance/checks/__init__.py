"""How cases are checked: a file for each kind. What is found is a `QuantityCheck` a quantity, wrong
or right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from harness.conformance.cases import (
    CallCase,
    Case,
    DifferencesCase,
    LawCase,
    ModuleCase,
    NumbersCase,
    OnnxCase,
    RepeatsCase,
)
from harness.conformance.checks import (
    calls,
    differences,
    laws,
    modules,
    numbers,
    onnx,
    repeatability,
)
from harness.conformance.compare import QuantityCheck, failure_summary
from harness.conformance.fitting import fitted, ways
from harness.isolation.device_presence import require_device
from implementations import Unavailable, Unsupported
from implementations.interface import Implementation


@dataclass(frozen=True)
class Answer:
    """What a case found. ``case`` is as it was asked, and ``refusal`` why that is not as it was
    written, if so.
    """

    case: Case
    findings: tuple[QuantityCheck, ...]
    refusal: str | None = None


def ask(implementation: Implementation, case: Case, device: str = "cpu") -> Answer:
    """Check a case, fitted to what the implementation supports.

    Raises ``Unsupported`` where it takes nothing like it; what failed before is reported instead.
    """
    fit = fitted(implementation, case, device)
    refusal: Unsupported | None = None
    for way in ways(fit.case):
        findings: list[QuantityCheck] = []
        try:
            findings.extend(check(implementation, way, device))
        except (Unsupported, Unavailable) as raised:
            if failure_summary(findings) is None:  # a refusal undoes nothing found before it
                if isinstance(raised, Unavailable):
                    raise
                refusal = refusal or raised
                continue
        return Answer(way, tuple(findings), fit.reason or (str(refusal) if refusal else None))
    raise refusal or Unsupported("it takes nothing like it")


def check(
    implementation: Implementation, case: Case, device: str = "cpu"
) -> Iterator[QuantityCheck]:
    """Everything that was looked at, of the case as it is written. Raises ``Unsupported`` or
    ``Unavailable`` where that cannot be.
    """
    require_device(device)
    return CHECKS[type(case)](implementation, case, device)


CHECKS: dict[type[Case], Callable[..., Iterator[QuantityCheck]]] = {
    NumbersCase: numbers.check,
    CallCase: calls.check,
    ModuleCase: modules.check,
    OnnxCase: onnx.check,
    DifferencesCase: differences.check,
    LawCase: laws.check,
    RepeatsCase: repeatability.check,
}
