"""What calls may not do to each other: each prohibition is broken by something wrong, and says by
what.
"""

from __future__ import annotations

import pytest
import torch
from plain_bn import Plugin, Recipe
from troublesome_bn import Refusing
from wrong_bn import Wrong

from harness.conformance.cases import RepeatsCase, matching, named
from harness.conformance.checks import check
from harness.conformance.checks.repeatability import WHATS
from implementations import Unsupported
from tests.experiments.rejections import verdict

CASES = [case for case in matching("repeats/*", thorough=True) if isinstance(case, RepeatsCase)]


class Spent(Plugin):
    """A graph serves one backward."""

    def layer(self, problem):
        layer = super().layer(problem)

        def once(*operands):
            output, called = layer(*operands), []

            def count(gradient):
                called.append(None)
                if len(called) > 1:
                    raise RuntimeError("the graph is spent")

            output.register_hook(count)
            return output

        return once


def over_the_residual_s(made, gradient, saved):
    return made if made.residual is None else made._replace(input=made.residual.copy_(made.input))


BROKEN = [
    (
        "same_bits",
        Wrong("low bits at random"),
        "output has other bits in call 1, 2, 3 than in call 0",
    ),
    (
        "same_bits",
        Wrong("wrong from the second call on"),
        "output has other bits in call 1, 3 than in call 0",
    ),
    (
        "batches_in_turn",
        Wrong("output in one buffer"),
        "the first output was changed by the second call",
    ),
    ("batches_in_turn", Wrong("saved tensors in one buffer"), "the first batch's grad_input["),
    ("batches_in_turn", Wrong("statistics of the batch before"), "the second batch's output["),
    ("batches_in_turn", Wrong("mutated input"), "input was changed"),
    (
        "output_is_its_own",
        Wrong("output in one buffer"),
        "output shares memory with the next call's output",
    ),
    ("output_is_its_own", Wrong("output over the input"), "returned the memory of the input"),
    (
        "output_is_its_own",
        Wrong("input's gradient over the output"),
        "output shares memory with grad_input",
    ),
    (
        "output_is_its_own",
        Wrong("input's gradient over the output's"),
        "grad_input shares memory with grad_output",
    ),
    (
        "output_changed_in_place",
        Wrong("output kept as what it is without weight and bias"),
        "grad_input[",
    ),
    (
        "output_is_its_own",
        Plugin(lambda: Recipe(gradients=over_the_residual_s)),
        "grad_input shares memory with grad_residual",
    ),
    (
        "saved_tensors_stay",
        Wrong("saved tensors spent by the backward"),
        "saved tensor 0 was changed by the backward",
    ),
    (
        "saved_tensors_stay",
        Wrong("output's gradient masked in place"),
        "the output's gradient was changed",
    ),
    (
        "saved_tensors_stay",
        Wrong("input's gradient over the output"),
        "the output was changed by the backward",
    ),
    ("graph_kept", Wrong("saved tensors spent by the backward"), "has other bits the second time"),
    ("graph_kept", Spent(), "the second backward raised RuntimeError: the graph is spent"),
    (
        "gradients_asked_in_part",
        Wrong("no gradient of the weight alone"),
        "grad_weight, asked for alone,[",
    ),
]


def case_of(what):
    return next(case for case in CASES if case.what == what)


@pytest.mark.parametrize(("what", "implementation", "reason"), BROKEN)
def test_what_calls_may_not_do_is_found_and_named(what, implementation, reason):
    assert verdict(Plugin(), case_of(what).name) is None
    assert reason in verdict(implementation, case_of(what).name).reason


def test_every_prohibition_is_broken_by_something():
    assert {what for what, _, _ in BROKEN} == set(WHATS)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_right_keeps_them_all(case):
    assert verdict(Plugin(), case.name) is None
    assert list(check(Plugin(), case))


def test_an_output_that_is_its_input_is_seen_where_there_is_nothing_else_to_add():
    """With neither weight, bias, residual nor activation a layer is most tempted to normalize in
    place.
    """
    in_place = Plugin(lambda: Recipe(emitted=lambda output, x: x.data.copy_(output)))
    assert (
        "returned the memory of the input"
        in verdict(in_place, "repeats/output_is_its_own/bare").reason
    )


def test_the_gradient_of_the_residual_may_be_the_output_s():
    shared = Plugin(
        lambda: Recipe(
            residual=lambda gradient, dz: dz, masked=lambda gradient, z: gradient * (z > 0)
        )
    )
    assert verdict(shared, "repeats/output_is_its_own") is None


@pytest.mark.parametrize("threads", [1, 2])
def test_bits_that_change_with_two_threads_only_are_seen_with_two_threads(threads):
    (case,) = [
        case for case in CASES if case.what == "same_bits" and case.fixed_threads == threads
    ][:1]
    found = verdict(Wrong("low bits at random with two threads"), case.name)
    assert (found is None) == (threads == 1)


def test_the_check_leaves_the_thread_count_to_its_worker():
    before = torch.get_num_threads()
    verdict(Plugin(), case_of("same_bits").name)
    assert torch.get_num_threads() == before


def test_a_refusal_is_told():
    with pytest.raises(Unsupported, match="it is Sunday"):
        list(check(Refusing(), named("repeats/graph_kept")))
