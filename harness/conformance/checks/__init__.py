"""How cases are checked: a file for each kind. What is found is a `QuantityCheck` a quantity, wrong
or right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch

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
from implementations import Unavailable
from implementations.interface import Implementation


def check(
    implementation: Implementation, case: Case, device: str = "cpu"
) -> Iterator[QuantityCheck]:
    """Everything that was looked at. Raises ``Unsupported`` or ``Unavailable`` where that cannot
    be.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise Unavailable("there is no CUDA device here, or this build of PyTorch cannot use it")
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
