"""What an implementation takes, as data: what is outside is refused in a sentence made of it."""

from __future__ import annotations

import pytest
import torch
from plain_bn import Plugin

from implementations import Unsupported, batch_norm
from implementations.adapters import from_differentiable, from_functions
from implementations.builtin import torch_native
from implementations.interface import Deviation, Phase, Problem, Supports, refusal

PLAIN = Problem((4, 19, 7, 9), activation="relu", residual=True)


@pytest.mark.parametrize(
    ("supports", "sentence"),
    [
        (Supports(dtypes=("float64", "bfloat16/float32")), "bfloat16/float32, not float32"),
        (Supports(ranks=(2, 3)), "it takes input of rank 2, 3, not 4"),
        (Supports(memory_formats=("channels_last",)), "channels_last input, not contiguous"),
        (Supports(activations=(None,)), "it takes activation none, not relu"),
        (Supports(residual=(False,)), "it takes no residual"),
        (Supports(weight=(False,)), "it takes no weight"),
        (Supports(channel_multiple=16), "it takes channels in multiples of 16, not 19"),
        (Supports(phases=(Phase.BACKWARD,)), "it does backward, not inference"),
        (Supports(devices=("cuda",)), "it computes on cuda, not on cpu"),
    ],
)
def test_a_problem_outside_is_refused_in_a_sentence(supports, sentence):
    assert sentence in supports.refusal(PLAIN, Phase.INFERENCE, "cpu")
    assert Supports().refusal(PLAIN, Phase.INFERENCE, "cpu") is None


def test_an_operand_may_be_needed():
    reason = Supports(bias=(True,)).refusal(Problem((4, 3), bias=False), Phase.INFERENCE, "cpu")
    assert reason == "it needs a bias"


@pytest.mark.parametrize(
    ("field", "given"),
    [("dtypes", "float32"), ("dtypes", ("float8",)), ("ranks", ()), ("channel_multiple", 0)],
)
def test_what_cannot_be_is_refused_with_what_is_allowed(field, given):
    with pytest.raises(ValueError, match=rf"Supports\({field}=.*\) is not possible; allowed: "):
        Supports(**{field: given})


def test_data_are_asked_before_words_and_both_count():
    class Both(Plugin):
        supports = Supports(ranks=(2, 4))

        def unsupported(self, problem, phase, device):
            return "it is Sunday" if problem.residual else None

    both = Both()
    assert refusal(both, Problem((4, 3, 5)), Phase.INFERENCE, "cpu").startswith("it takes input of")
    assert refusal(both, PLAIN, Phase.INFERENCE, "cpu") == "it is Sunday"
    assert refusal(both, Problem((4, 3)), Phase.INFERENCE, "cpu") is None


@pytest.mark.parametrize("adapt", ["functions", "differentiable"])
def test_an_adapter_takes_both_declarations(adapt):
    supports = Supports(dtypes=("float64",))
    deviations = {"data/*": Deviation("it is odd", "https://example.org")}
    if adapt == "functions":
        forward, backward = torch_native.forward, torch_native.backward
        make = from_functions(forward, backward, supports=supports, deviations=deviations)
    else:
        make = from_differentiable(torch_native.layer, supports=supports, deviations=deviations)
    assert make().deviations == deviations
    with pytest.raises(Unsupported, match="it takes data of float64, not float32"):
        batch_norm(torch.ones(2, 3), None, None, training=True, implementation=make())


def test_a_deviation_covers_its_quantities_and_no_others():
    deviation = Deviation("it is odd", "https://example.org", ("output", "grad_input"))
    assert deviation.covers({"output"})
    assert not deviation.covers({"output", "grad_bias"})
    assert not deviation.covers(set())
    assert Deviation("it is odd", "https://example.org").covers({"anything"})
    assert str(deviation) == "it is odd (https://example.org)"
