"""A case is asked on the nearest problem that an implementation takes; what it is about stays."""

from __future__ import annotations

from dataclasses import replace

import pytest
from plain_bn import Plugin

from harness.conformance import runner
from harness.conformance.cases import CASES, CallCase, NumbersCase, matching, named
from harness.conformance.fitting import difference, fitted
from harness.conformance.fitting.questions import questions
from harness.records import Status
from implementations import Unsupported, registry
from implementations.interface import Phase, Problem, Supports
from tests.experiments.rejections import verdict

STEP = "phases/training_step/layer/fresh"


def taking(**supports):
    """The right implementation, which takes no more than that."""
    implementation = Plugin()
    implementation.supports = Supports(**supports)
    return implementation


def asked(implementation, name):
    return fitted(implementation, named(name), "cpu").case


@pytest.mark.parametrize(
    ("supports", "name", "problem"),
    [
        ({"residual": (False,)}, STEP, "4×19×7×9 float32 relu"),
        ({"activations": (None,)}, STEP, "4×19×7×9 float32 residual"),
        ({"weight": (False,), "bias": (False,)}, STEP, "4×19×7×9 float32 relu residual no weight"),
        ({"channel_multiple": 16}, STEP, "4×32×7×9 float32 relu residual"),
        ({"memory_formats": ("channels_last",)}, STEP, "4×19×7×9 float32 channels_last relu"),
        ({"ranks": (2, 3)}, STEP, "4×19×63 float32 relu residual"),
        ({"ranks": (4,)}, "exact/float64", "16×7×3×3 float64"),
        ({"dtypes": ("float64",)}, STEP, "4×19×7×9 float64 relu residual"),
        ({"dtypes": ("float64",)}, "samples/rank_3", "5×5×5 float64"),
        ({"channel_multiple": 8}, "module/defaults", "4×8×5×3 float32"),
        ({"channel_multiple": 8}, "onnx/example", "2×8×4×5 float32"),
        ({"channel_multiple": 8}, "edges/rank_6", "5×8×5 float32"),
        ({"dtypes": ("float32",)}, "gradients/directions/kernel", "6×5×4×3 float32 residual"),
        ({"channel_multiple": 4}, "laws/shift", "8×8×4×3 float32"),
        ({"residual": (False,)}, "repeats/graph_kept", "4×19×7×9 float32 relu"),
    ],
)
def test_the_nearest_problem_is_asked(supports, name, problem):
    found = asked(taking(**supports), name)
    assert str(questions(found)[0].problem).startswith(problem)
    assert verdict(taking(**supports), name) is None


def test_a_refusal_in_words_is_fitted_to_as_one_in_data_is():
    class Wordy(Plugin):
        def unsupported(self, problem, phase, device):
            odd = problem.residual or problem.activation or problem.weight or problem.bias
            return "no" if odd or problem.channels % 16 or problem.shape[-1] % 16 else None

    bare = "4×32×7×16 float32 no weight no bias"
    assert str(asked(Wordy(), STEP).problem) == bare


def test_a_phase_that_is_refused_gives_way_to_another():
    implementation = taking(phases=(Phase.INFERENCE,))
    assert asked(implementation, "data/sparse").phase is Phase.INFERENCE
    with pytest.raises(Unsupported, match="it does inference, not training_step"):
        asked(implementation, STEP)  # it is about the phase
    call = asked(implementation, "samples/inference/rank_3")
    assert (call.mode, call.gradients) == ("no_grad", False)


@pytest.mark.parametrize(
    ("supports", "name"),
    [
        ({"memory_formats": ("contiguous",)}, "layouts/channels_last/layer/fresh"),
        ({"dtypes": ("float32",)}, "dtypes/float64/layer/fresh"),
        ({"weight": (True,)}, "shapes/no_weight/frozen"),
        ({"channel_multiple": 8}, "shapes/tails/channels/3"),
        ({"weight": (False,)}, "laws/affine"),
    ],
)
def test_what_a_case_is_about_stays(supports, name):
    with pytest.raises(Unsupported):
        asked(taking(**supports), name)


def test_a_nan_is_never_asked_under_relu_with_a_backward():
    found = asked(taking(phases=(Phase.TRAINING_STEP,)), "data/nan_in_one_channel/contiguous")
    assert found.problem.activation is None
    with pytest.raises(Unsupported):
        asked(taking(phases=(Phase.TRAINING_STEP,)), "data/nan_in_one_channel/inference")


def test_every_case_is_itself_where_all_is_supported():
    for case in CASES:
        assert fitted(Plugin(), case, "cpu").case == case
        for question in questions(case)[:1]:
            assert question.asking(question.problem) == case, case.name


def test_an_error_and_what_pytorch_answers_ask_nothing():
    unasked = {case.name for case in CASES if not questions(case)}
    assert unasked >= {case.name for case in matching("errors/*")}
    assert {"samples/rank_1", "edges/empty_batch"} <= unasked


def test_a_difference_is_told_in_words():
    written = named(STEP)
    assert isinstance(written, NumbersCase)
    other = replace(written, problem=Problem((4, 32)), phase=Phase.INFERENCE)
    assert difference(written, other) == (
        "4×32 float32, inference instead of 4×19×7×9 float32 relu residual, training_step"
    )
    call = named("samples/rank_3")
    assert isinstance(call, CallCase)
    assert difference(call, replace(call, mode="no_grad")) == "no_grad instead of grad"


def test_the_record_says_what_was_asked_instead_and_why(monkeypatch):
    monkeypatch.setattr(registry, "load", lambda given: taking(residual=(False,)))
    found = runner.run(implementation="given", case=STEP)
    assert found.status is Status.OK
    assert found.figures.refusal == "it takes no residual"
    assert found.figures.asked == "4×19×7×9 float32 relu instead of 4×19×7×9 float32 relu residual"
    plain = runner.run(implementation="given", case="exact/float64")
    assert (plain.figures.asked, plain.figures.refusal) == (None, None)
