"""How cases are checked: a file for each kind. What is found is a `QuantityCheck` a quantity, wrong
or right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

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
from harness.conformance.compare import QuantityCheck
from harness.isolation.device_presence import require_device
from implementations.interface import Implementation


def check(
    implementation: Implementation, case: Case, device: str = "cpu"
) -> Iterator[QuantityCheck]:
    """Everything that was looked at. Raises ``Unsupported`` or ``Unavailable`` where that cannot
    be.
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
