"""What cases on behaviour ask: `batch_norm`, its module and ONNX's conventions."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from math import prod

from harness.conformance.cases import OF_INPUT, CallCase, Case, ModuleCase, OnnxCase
from harness.conformance.fitting.question import FROZEN, TRAINING, UNMIXED, Question
from implementations.interface import RANKS, Problem

# In which the input of a call arrives as channels_last.
BLOCKED_VIEWS = ("channels_last", "odd")


def of_call(case: CallCase) -> list[Question]:
    problem = _problemof_call(case)
    if problem is None:
        return []
    phases = TRAINING if case.training else FROZEN
    as_viewed = case.view, case.towards
    kept = (*case.about, "residual", "activation", "row")
    if as_viewed != ("plain", "plain") or len(case.shape) not in RANKS:
        kept = (*kept, "rank")
    if case.view != "plain" or len(case.shape) not in RANKS:
        kept = (*kept, "memory_format")

    def asking(asked: CallCase, other: Problem) -> Case:
        blocked = other.memory_format == "channels_last"
        in_ranks = len(case.shape) in RANKS
        return replace(
            asked,
            shape=other.shape if in_ranks else (case.shape[0], other.channels, *case.shape[2:]),
            dtype=other.dtype,
            parameter_dtype=str(other.parameter_dtype),
            weight=OF_INPUT if other.weight else None,
            bias=OF_INPUT if other.bias else None,
            view="channels_last" if blocked and case.view == "plain" else case.view,
        )

    recorded = case.mode == "grad"
    without = replace(case, mode="no_grad", gradients=False)
    return [
        Question(problem, phases[: 1 + recorded], partial(asking, case), kept=kept),
        *[Question(problem, phases[:1], partial(asking, without), kept=kept)] * recorded,
    ]


def _problemof_call(case: CallCase) -> Problem | None:
    """What `batch_norm` asks of the implementation; None where PyTorch answers, or refuses."""
    shape = case.shape
    lengths = (case.weight, case.bias, case.running_mean, case.running_var)
    if len(shape) < min(RANKS) or 0 in shape or not {*lengths} <= {None, OF_INPUT}:
        return None
    if len(shape) not in RANKS:
        shape = (*shape[:2], prod(shape[2:]))
    try:
        return Problem(
            shape,
            case.dtype,
            case.parameter_dtype,
            "channels_last" if case.view in BLOCKED_VIEWS else "contiguous",
            weight=case.weight is not None,
            bias=case.bias is not None,
        )
    except ValueError:  # dtypes that do not go together
        return None


def of_module(case: ModuleCase) -> list[Question]:
    if 0 in case.shape:
        return []
    problem = Problem(
        case.shape,
        case.dtype,
        None,
        case.memory_format,
        weight=case.affine,
        bias=case.affine and case.bias,
    )
    batch = not case.track_running_stats or case.untracked
    phases = [phase for training in case.calls for phase in (TRAINING, FROZEN)[not training]]

    def asking(other: Problem) -> Case:
        return replace(
            case,
            shape=other.shape,
            dtype=other.dtype,
            memory_format=other.memory_format,
            affine=other.weight,
            bias=other.bias or (case.bias and not other.weight),
        )

    return [
        Question(
            problem,
            TRAINING if batch else tuple(dict.fromkeys(phases)),
            asking,
            UNMIXED,
            (*case.about, "residual", "activation"),
            lambda other: other.weight or not other.bias,
        )
    ]


def of_onnx(case: OnnxCase) -> list[Question]:
    def asking(other: Problem) -> Case:
        return replace(
            case,
            shape=other.shape,
            affine=other.weight,
            dtype=other.dtype,
            memory_format=other.memory_format,
        )

    problem = Problem(
        case.shape, case.dtype, None, case.memory_format, weight=case.affine, bias=case.affine
    )
    phases = TRAINING if case.training else FROZEN
    kept = (*case.about, "residual", "activation")
    return [
        Question(problem, phases, asking, UNMIXED, kept, lambda other: other.weight == other.bias)
    ]
