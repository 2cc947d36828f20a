"""The laws that `implementations.interface` states, each as an equation between answers of the
implementation itself.

A side of an equation is off by no more than `tolerances` allows it, so the two differ by no more
than both allow. What an example changes in its operands is exact: data lie on a grid of 1/256,
shifts and scales are short binary fractions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from harness.conformance.cases import LawCase
from harness.conformance.checks.examples import Trial
from harness.conformance.checks.identities import (
    affine,
    folding,
    inference_after_momentum_1,
    linear_gradient,
    relu,
    running_averages,
    zero_gradient_sum,
)
from harness.conformance.checks.invariances import (
    batch_permutation,
    channel_permutation,
    channels_alone,
    repeated_batch,
    scale,
    shift,
)
from harness.conformance.checks.numbers import supported
from harness.conformance.checks.search import Draw, search
from harness.conformance.checks.strategies import oracle_examples, problems
from harness.conformance.compare import QuantityCheck, compare_with_oracle
from implementations.interface import Implementation, Phase, call_once

Law = Callable[[Trial, Draw], Iterator[QuantityCheck]]


def check(implementation: Implementation, case: LawCase, device: str) -> Iterator[QuantityCheck]:
    if case.law == "oracle":
        return search(
            partial(of_the_oracle, implementation, device), case.examples, case.seed, refusals=False
        )
    if case.problem is not None:
        phase = Phase.INFERENCE if case.law == "folding" else Phase.FORWARD_TRAINING
        supported(implementation, case.problem, phase, device)

    def law(draw: Draw) -> Iterator[QuantityCheck]:
        problem = case.problem or draw("problem", problems(implementation, device))
        return LAWS[case.law](Trial(implementation, problem, device), draw)

    return search(law, case.examples, case.seed, refusals=case.problem is not None)


def of_the_oracle(
    implementation: Implementation, device: str, draw: Draw
) -> Iterator[QuantityCheck]:
    """Whatever the problem, phase, face and outputs, the answer is the oracle's."""
    example = draw("example", oracle_examples(implementation, device))
    arrays = example.arrays(device)
    prepared = implementation.prepare(
        example.problem, example.phase, face=example.face, outputs=example.outputs, arrays=arrays
    )
    yield from compare_with_oracle(
        call_once(prepared).results(), example.problem, example.phase, example.arrays(device)
    )


LAWS: dict[str, Law] = {
    law.__name__: law
    for law in (
        shift,
        scale,
        batch_permutation,
        channel_permutation,
        zero_gradient_sum,
        linear_gradient,
        affine,
        channels_alone,
        running_averages,
        inference_after_momentum_1,
        relu,
        repeated_batch,
        folding,
    )
}
