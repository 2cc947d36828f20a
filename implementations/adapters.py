"""Implementations made of functions, so that the author of one writes no class.

    from_functions(forward, backward, ...)     of two functions on the library's own arrays
    from_differentiable(function, ...)         of one function that autograd differentiates

    # my_bn.py
    Mine = from_functions(forward, backward, unsupported=unsupported)

``Mine`` can then be named as an entry point (``mine = "my_bn:Mine"``) or on the command line
(``_target_: my_bn.Mine``). For one that takes arguments write a function that calls the adapter:

    def Mine(block: int = 64) -> Implementation:
        return from_functions(partial(forward, block=block), backward)()
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, final

import torch

from implementations.author_functions import check_arguments, contract_error, unwrapped
from implementations.autograd_pair import PairLayer
from implementations.bridge import TORCH, Bridge
from implementations.differentiable import DifferentiableLayer
from implementations.interface import (
    Arrays,
    Backward,
    ContractError,
    Deviation,
    Face,
    Forward,
    Implementation,
    Layer,
    Options,
    Outputs,
    Phase,
    Prepared,
    Problem,
    Supports,
    Unsupported,
)
from implementations.prepared import Functions, prepare_functions

Refusal = Callable[[Problem, Phase, str], str | None]
Factory = Callable[[], Implementation]
ANYTHING = Supports()


def accept_all(problem: Problem, phase: Phase, device: str) -> str | None:
    """The refusal of an implementation that refuses nothing."""
    return None


def from_functions(
    forward: Forward,
    backward: Backward,
    *,
    supports: Supports = ANYTHING,
    deviations: Mapping[str, Deviation] | None = None,
    unsupported: Refusal = accept_all,
    bridge: Bridge = TORCH,
    layer: Layer | None = None,
    fresh_outputs_only: Mapping[Phase, str] | None = None,
    specialize: Callable[[Functions], Functions] | None = None,
    require: Callable[[], object] | None = None,
    name: str | None = None,
) -> Factory:
    """An implementation of two functions, as `interface.Forward` and `Backward` describe them.

    Returns a function without arguments that makes it: what an entry point or ``_target_`` names.

    supports: the problems that it takes, as data; see `interface.Supports`.
    deviations: conformance cases that it is known to fail, by name or glob.
    unsupported: why a problem cannot be done, where data cannot say it, or None.
    bridge: how arrays of another library than torch come and go.
    layer: what `batch_norm` calls, where that is more than the two functions under autograd.
    fresh_outputs_only: for phases whose functions cannot write to ``out``, the reason.
    specialize: called for each problem; returns functions of that problem's own. For compilers.
    require: called when the implementation is made; raises ``Unavailable`` with the reason where
        something is missing on this machine.
    name: what messages call it; the module's name by default.

    Raises ``ContractError`` for functions that cannot be called as the contract has it.
    """
    check_arguments(forward, "forward", Forward.__call__)
    check_arguments(backward, "backward", Backward.__call__)
    check_arguments(unsupported, "refusal", Implementation.unsupported)
    name = name or _module_name(forward)
    if layer is not None:
        check_arguments(layer, "layer", Layer.__call__)
    reasons = _known_phases(fresh_outputs_only or {})
    if bridge.immutable:
        reasons = dict.fromkeys(Phase, "its library's arrays cannot be written to") | reasons
    functions = Functions(
        forward, backward, layer or PairLayer(forward, backward, bridge, name), bridge
    )
    return _factory(
        FunctionImplementation(
            name,
            functions,
            unsupported,
            reasons,
            specialize,
            bridge.shares_memory,
            supports,
            dict(deviations or {}),
        ),
        require,
    )


def from_differentiable(
    function: Layer,
    *,
    supports: Supports = ANYTHING,
    deviations: Mapping[str, Deviation] | None = None,
    unsupported: Refusal = accept_all,
    require: Callable[[], object] | None = None,
    name: str | None = None,
) -> Factory:
    """An implementation of one function on torch tensors, as `interface.Layer` describes it, that
    `torch.autograd` can differentiate.

    Its layer does every phase. As a kernel, without autograd, it has only the phases without a
    backward, with fresh outputs. The arguments are those of `from_functions`.
    """
    check_arguments(function, "layer", Layer.__call__)
    check_arguments(unsupported, "refusal", Implementation.unsupported)
    functions = Functions(_ForwardAlone(function), None, function)
    reasons = dict.fromkeys(Phase, "it is one function without `out`, which returns fresh outputs")
    return _factory(
        FunctionImplementation(
            name or _module_name(function),
            functions,
            unsupported,
            reasons,
            _with_checked_layer,
            supports=supports,
            deviations=dict(deviations or {}),
        ),
        require,
    )


@final
@dataclass(frozen=True, eq=False)
class FunctionImplementation(Implementation):
    """What the adapters make. It can be pickled where its functions can, as part of a model."""

    name: str
    functions: Functions
    refusal: Refusal
    fresh_outputs_only: Mapping[Phase, str]
    specialize: Callable[[Functions], Functions] | None = None
    shares_memory: bool = True
    supports: Supports = ANYTHING
    deviations: Mapping[str, Deviation] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name

    def unsupported(self, problem: Problem, phase: Phase, device: str) -> str | None:
        reason: Any = self.refusal(problem, phase, device)
        if reason is None or isinstance(reason, str):
            return reason
        what = (
            f"returned {reason!r}; it must return None for what can be done, or a reason in words"
        )
        raise contract_error(self.refusal, "refusal", what)

    def layer(self, problem: Problem) -> Layer:
        return self._specialized().layer

    def prepare(
        self, problem: Problem, phase: Phase, *, face: Face, outputs: Outputs, arrays: Arrays
    ) -> Prepared:
        if face == "kernel" and outputs == "reused" and phase in self.fresh_outputs_only:
            raise Unsupported(self.fresh_outputs_only[phase])
        return prepare_functions(
            self._specialized(), problem, phase, face=face, outputs=outputs, arrays=arrays
        )

    def _specialized(self) -> Functions:
        return self.functions if self.specialize is None else self.specialize(self.functions)


@dataclass(frozen=True)
class _ForwardAlone:
    """A differentiable function as a `Forward`, for phases without a backward."""

    function: Layer

    @property
    def __wrapped__(self) -> Layer:
        return self.function  # whose name messages give

    def __call__(
        self,
        input: torch.Tensor,
        residual: torch.Tensor | None,
        weight: torch.Tensor | None,
        bias: torch.Tensor | None,
        running_mean: torch.Tensor | None,
        running_var: torch.Tensor | None,
        options: Options,
        out: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, tuple[()]]:
        with torch.no_grad():
            output = self.function(
                input, residual, weight, bias, running_mean, running_var, options
            )
        return output, ()


def _factory(implementation: Implementation, require: Callable[[], object] | None) -> Factory:
    def make() -> Implementation:
        if require is not None:
            require()
        return implementation

    # for the TypeError where arguments are given
    make.__name__ = make.__qualname__ = str(implementation)
    return make


def _module_name(function: Callable[..., Any]) -> str:
    return unwrapped(function).__module__.rpartition(".")[2]


def _with_checked_layer(functions: Functions) -> Functions:
    return replace(functions, layer=DifferentiableLayer(functions.layer))


def _known_phases(reasons: Mapping[Phase, str]) -> dict[Phase, str]:
    unknown = sorted(set(reasons) - set(Phase))
    if unknown:
        raise ContractError(
            f"fresh_outputs_only names {', '.join(unknown)}; the phases are {', '.join(Phase)}"
        )
    return dict(reasons)
