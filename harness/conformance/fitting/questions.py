"""What a case asks of an implementation, and what would do instead."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

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
from harness.conformance.fitting.behaviour import of_call, of_module, of_onnx
from harness.conformance.fitting.question import (
    ANY,
    FLOAT32,
    FLOAT64,
    FROZEN,
    TRAINING,
    WIDE,
    Question,
)
from implementations.interface import Phase, Problem

# By phase, what comes nearest to it.
OTHER_PHASES = {
    Phase.TRAINING_STEP: (
        Phase.BACKWARD,
        Phase.FORWARD_TRAINING,
        Phase.BACKWARD_INFERENCE,
        Phase.INFERENCE,
    ),
    Phase.BACKWARD: (Phase.TRAINING_STEP, Phase.BACKWARD_INFERENCE),
    Phase.FORWARD_TRAINING: (Phase.TRAINING_STEP, Phase.INFERENCE),
    Phase.INFERENCE: (Phase.FORWARD_TRAINING,),
    Phase.BACKWARD_INFERENCE: (Phase.TRAINING_STEP, Phase.INFERENCE),
}
FRACTION = 1e-3  # the least scale of data that narrow dtypes tell apart from 0


def questions(case: Case) -> list[Question]:
    """What the case asks, and then what would do instead, in other phases; nothing where it asks no
    problem of the implementation: PyTorch answers for empty input, and refuses what is an error.
    """
    return [] if "error" in case.about else KINDS[type(case)](case)


def _with_problem(case: Any, problem: Problem) -> Case:
    changed: Case = replace(case, problem=problem)
    return changed


def _of_numbers(case: NumbersCase) -> list[Question]:
    poisoned = case.fill is not None or case.fill_gradient is not None
    # the slope of ReLU at NaN is left open
    no_backward = poisoned and case.problem.activation is not None
    phases = [case.phase]
    if "phase" not in case.about:
        others = OTHER_PHASES[case.phase]
        phases += [other for other in others if not (no_backward and other.has_backward)]
    if case.fill_gradient is not None:
        phases = [phase for phase in phases if phase.has_backward]
    ordinary = abs(case.mean) <= 1 and FRACTION <= case.scale <= 1 and not poisoned
    kept = (*case.about, *(("activation",) if poisoned and not no_backward else ()))

    def accepts(phase: Phase, problem: Problem) -> bool:
        ternary = case.distribution == "ternary" and problem.reduction % 8
        return not (phase.training and problem.reduction == 1) and not ternary

    return [
        Question(
            case.problem,
            (phase,),
            partial(_with_problem, replace(case, phase=phase)),
            ANY if ordinary else WIDE,
            kept,
            partial(accepts, phase),
        )
        for phase in phases
    ]


def _of_differences(case: DifferencesCase) -> list[Question]:
    """Every element in float64, or else along directions, and in float32 without an activation,
    whose kink a wide step would cross.
    """
    by_layer = TRAINING if case.phase.training else FROZEN
    along = replace(case, method="directions")

    def accepts(other: Problem) -> bool:
        return other.dtype == "float64" or other.activation is None

    by_kernel = (case.phase, by_layer[0])
    phases = by_layer if case.method == "gradcheck" else by_kernel
    asked = Question(
        case.problem, phases, partial(_with_problem, case), (FLOAT64,), (*case.about, "row")
    )
    instead = Question(
        case.problem, by_kernel, partial(_with_problem, along), (FLOAT32,), asked.kept, accepts
    )
    return [asked, instead]


def _of_law(case: LawCase) -> list[Question]:
    if case.problem is None:
        return []
    phases: Sequence[Phase] = {
        "folding": FROZEN,
        "inference_after_momentum_1": (*TRAINING, *FROZEN),
    }.get(case.law, TRAINING)
    ask = partial(_with_problem, case)
    # its operands are multiples of 1/256, which narrow dtypes do not have
    return [Question(case.problem, tuple(phases), ask, WIDE, case.about)]


def _of_repeats(case: RepeatsCase) -> list[Question]:
    phases: tuple[Phase, ...] = (*TRAINING, Phase.TRAINING_STEP)
    if case.what == "output_is_its_own":
        phases = (*phases, *FROZEN)
    return [Question(case.problem, phases, partial(_with_problem, case), kept=case.about)]


KINDS: dict[type[Case], Callable[[Any], list[Question]]] = {
    NumbersCase: _of_numbers,
    CallCase: of_call,
    ModuleCase: of_module,
    OnnxCase: of_onnx,
    DifferencesCase: _of_differences,
    LawCase: _of_law,
    RepeatsCase: _of_repeats,
}
