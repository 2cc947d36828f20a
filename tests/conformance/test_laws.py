"""Every law is broken by something wrong, and then tells the example; what is right keeps every
law, on any problem.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from plain_bn import Plugin, Recipe, two_pass
from troublesome_bn import Refusing
from wrong_bn import Wrong
from wrong_occasions import without_the_last

from harness.conformance.cases import CASES, LawCase, named
from harness.conformance.checks import check
from harness.conformance.checks import strategies as drawn
from harness.conformance.checks.examples import GRID, Trial, batches, rows_of
from harness.conformance.checks.laws import LAWS
from harness.conformance.checks.search import search
from harness.problems.inputs import make_arrays
from implementations import Unsupported
from implementations.builtin.torch_unfused import TorchUnfused
from implementations.interface import Phase, Problem

ANY = tuple(case for case in CASES if isinstance(case, LawCase) and case.problem is None)


def plugin(**parts):
    return Plugin(lambda: Recipe(**parts))


# For each law: what breaks it, a quantity that shows it, and how the finding begins.
BROKEN = {
    "shift": (Wrong("one-pass variance"), "running_var, for seed = 0, b = "),
    "scale": (Wrong("weight's sign lost"), "output, for seed = 0, a = -"),
    "batch_permutation": (plugin(moments=without_the_last), "output, for seed = 0, order = ["),
    "channel_permutation": (
        Wrong("channel 0 unlike the others"),
        "output, for seed = 0, order = [1, 0, 2, 3, 4]",
    ),
    "zero_gradient_sum": (Wrong("no gradient through the mean"), "Σ grad_input, for seed = 0"),
    "linear_gradient": (
        Wrong("gradient of the sum"),
        "grad_bias, for seed = 0, a = -2.0, other seed = 0",
    ),
    "affine": (Wrong("bias scaled by the weight"), "output, for seed = 0"),
    "channels_alone": (
        Wrong("NaN leaks into the next channel"),
        "output, for seed = 0, channel = 0, value = nan",
    ),
    "running_averages": (
        Wrong("momentum 0 taken for none"),
        "running_mean, for momentum = 0.0, seeds = [0]",
    ),
    "inference_after_momentum_1": (Wrong("biased running variance"), "output, for seed = 0"),
    "relu": (plugin(activated=lambda z: z.clamp(min=-0.1)), "output, for seed = 0"),
    "repeated_batch": (Wrong("n - 1 in the input's gradient"), "grad_input, for seed = 0"),
    "folding": (Wrong("eps outside the root"), "output, for seed = 0, layer's seed = 0"),
}
assert set(BROKEN) == set(LAWS)


def failed(implementation, case):
    return [str(finding) for finding in check(implementation, case) if not finding.passed]


@pytest.mark.parametrize("law", LAWS)
def test_each_law_is_broken_by_something_wrong_and_tells_the_example(law):
    implementation, prefix = BROKEN[law]
    found = failed(implementation, named(f"laws/{law}"))
    assert any(one.startswith(prefix) for one in found), found
    assert all("× its tolerance" in one for one in found)


@pytest.mark.parametrize("law", LAWS)
def test_what_is_right_keeps_each_law(law):
    assert failed(Plugin(), named(f"laws/{law}")) == []


@pytest.mark.parametrize("case", ANY, ids=lambda case: case.name)
def test_what_is_right_keeps_every_law_on_any_problem(case):
    few = replace(case, examples=6)
    findings = list(check(Plugin(), few))
    assert findings
    assert [str(finding) for finding in findings if not finding.passed] == []


@pytest.mark.parametrize(
    "wrong",
    [
        "wrong where space is 1 × 1",
        "wrong for bfloat16 at inference",
        "n - 1 in the batch's variance",
        "gradient of the sum",
    ],
)
def test_what_a_fixed_problem_misses_a_drawn_one_finds(wrong):
    found = failed(Wrong(wrong), named("laws/oracle/any_problem/0"))
    assert found
    assert "problem=Problem(shape=" in found[0]


def test_a_problem_is_drawn_that_the_implementation_takes():
    class Picky(Plugin):
        def unsupported(self, problem, phase, device):
            return (
                None
                if len(problem.shape) == 4 and problem.dtype == "float32"
                else "rank 4 and float32 only"
            )

    ranks = Counter()

    def law(draw):
        ranks[len(draw("problem", drawn.problems(Picky(), "cpu")).shape)] += 1
        return iter(())

    assert list(search(law, 30)) == []
    assert set(ranks) == {4}


def test_a_refusal_of_the_one_problem_is_the_answer():
    with pytest.raises(Unsupported, match="it is Sunday"):
        list(check(Refusing(), named("laws/shift")))


def test_faces_and_outputs_that_are_refused_are_passed_over():
    law = named("laws/oracle/any_problem/0")
    assert isinstance(law, LawCase)
    found = list(check(TorchUnfused(), replace(law, examples=30)))
    assert found
    assert all(finding.passed for finding in found)


TRIAL = Trial(Plugin(), Problem((4, 3, 2), activation="relu", residual=True), "cpu")


def test_operands_of_a_law_lie_on_a_grid_so_that_what_it_changes_is_exact():
    arrays = TRIAL.arrays(5)
    for data in (arrays.input, arrays.grad_output):
        assert torch.equal(data * GRID, (data * GRID).round())
        assert torch.equal((data + 63.75) - 63.75, data)
    assert torch.equal(arrays.weight, make_arrays(TRIAL.problem, 5).weight)


def test_batches_in_a_row_hand_on_their_statistics_and_weigh_less_the_older_they_are():
    steps = list(batches(TRIAL, 0.25, [3, 4, 5]))
    assert [weight for _, weight in steps] == [0.75**2, 0.75, 1.0]
    for (before, _), (after, _) in pairwise(steps):
        assert torch.equal(after.arrays.running_var, before.results.running_var)
    assert not torch.equal(steps[0][0].arrays.input, steps[1][0].arrays.input)


def test_rows_of_a_permuted_batch_are_its_observations_in_the_matrix_s_order():
    assert rows_of(Problem((3, 5, 2)), [2, 0, 1]) == [4, 5, 0, 1, 2, 3]


def test_an_answer_s_mask_is_its_own():
    answer = TRIAL.answer(TRIAL.arrays(0))
    assert ((answer.exact.grad_z != 0) <= (answer.values("output") > 0)).all()
    assert two_pass(answer.arrays.input)[0].shape == (1, 3, 1)


def test_frozen_statistics_are_asked_for_as_such():
    answer = TRIAL.answer(TRIAL.arrays(0), training=False)
    assert torch.equal(answer.results.running_mean, answer.arrays.running_mean)
    assert Phase.BACKWARD_INFERENCE.has_backward
    assert answer.exact.mean.tolist() == answer.arrays.running_mean.double().tolist()


@pytest.mark.parametrize("case", ["laws/shift/any_problem", "laws/oracle/any_problem/0"])
def test_who_refuses_every_drawn_problem_is_told_as_refusing(case):
    with pytest.raises(Unsupported, match="every example"):
        list(check(Refusing(), named(case)))
