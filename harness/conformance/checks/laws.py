"""The laws that `implementations.interface` states, each as an equation between answers of the
implementation itself.

A side of an equation is off by no more than `tolerances` allows it, so the two differ by no more
than both allow. What an example changes in its operands is exact: data lie on a grid of 1/256,
shifts and scales are short binary fractions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from hypothesis import strategies as st

from harness.conformance.cases import LawCase
from harness.conformance.checks.examples import (
    Answer,
    Trial,
    batches,
    oracle_examples,
    problems,
    rows_of,
)
from harness.conformance.checks.numbers import supported
from harness.conformance.checks.search import Draw, search
from harness.conformance.compare import QuantityCheck, verify
from implementations import oracle
from implementations.interface import Arrays, Implementation, Phase, call_once

SEEDS = st.integers(0, 2**16)
QUARTERS = st.integers(-256, 256).map(lambda quarters: quarters / 4)
GRADIENTS = ("grad_input", "grad_weight", "grad_bias")
STATISTICS = ("running_mean", "running_var")
Law = Callable[[Trial, Draw], Iterator[QuantityCheck]]


def check(implementation: Implementation, case: LawCase, device: str) -> Iterator[QuantityCheck]:
    if case.law == "oracle":
        return search(
            partial(of_the_oracle, implementation, device), case.examples, case.seed, refusals=False
        )
    if case.problem is not None:
        supported(implementation, case.problem, Phase.TRAINING_STEP, device)

    def law(draw: Draw) -> Iterator[QuantityCheck]:
        problem = case.problem or draw("problem", problems(implementation, device))
        return LAWS[case.law](Trial(implementation, problem, device), draw)

    return search(law, case.examples, case.seed, refusals=case.problem is not None)


def shift(trial: Trial, draw: Draw) -> Iterator[QuantityCheck]:
    """output(x + b) = output(x), and gradients; the running mean moves by momentum · b."""
    arrays, b = trial.arrays(draw("seed", SEEDS)), draw("b", QUARTERS)
    here, there = trial.answer(arrays), trial.answer(replace(arrays, input=arrays.input + b))
    yield from here.equals(there, "output", "running_var", *GRADIENTS)
    yield _sum("running_mean", there, (1, here), arrays.momentum * b)


def scale(trial: Trial, draw: Draw) -> Iterator[QuantityCheck]:
    """output(a · x), with a² · eps and sign(a) · weight, = output(x); dinput is divided by a."""
    arrays, a = (
        trial.arrays(draw("seed", SEEDS)),
        draw("a", st.sampled_from([0.25, -0.25, -1.0, 4.0, -4.0])),
    )
    sign = float(np.sign(a))
    here = trial.answer(arrays)
    there = trial.answer(
        replace(
            trial.given(arrays, input=a * arrays.input, weight=sign * weight_of(arrays)),
            eps=a * a * arrays.eps,
        )
    )
    yield from here.equals(there, "output", "grad_bias")
    yield _sum("grad_input", here, (a, there))
    yield _sum("grad_weight", here, (sign, there))


def batch_permutation(trial: Trial, draw: Draw) -> Iterator[QuantityCheck]:
    """output(P x) = P output(x) for a permutation P of the batch; statistics and parameters'
    gradients stay.
    """
    arrays = trial.arrays(draw("seed", SEEDS))
    order = list(draw("order", st.permutations(range(trial.problem.shape[0]))))
    moved = {name: getattr(arrays, name)[order] for name in ("input", "grad_output")}
    here, there = trial.answer(arrays), trial.answer(trial.given(arrays, **moved))
    yield from here.equals(
        there, "output", *GRADIENTS, *STATISTICS, rows=rows_of(trial.problem, order)
    )


def channel_permutation(trial: Trial, draw: Draw) -> Iterator[QuantityCheck]:
    """Permuted channels, with their parameters, are permuted answers: no channel is treated unlike
    another.
    """
    arrays = trial.arrays(draw("seed", SEEDS))
    order = list(draw("order", st.permutations(range(trial.problem.channels))))
    moved = {name: getattr(arrays, name)[:, order] for name in ("input", "grad_output")}
    moved |= {name: getattr(arrays, name)[order] for name in ("weight", "bias", *STATISTICS)}
    here, there = trial.answer(arrays), trial.answer(trial.given(arrays, **moved))
    yield from here.equals(there, "output", *GRADIENTS, *STATISTICS, channels=order)


def zero_gradient_sum(trial: Trial, draw: Draw) -> Iterator[QuantityCheck]:
    """Σ dinput = 0, and Σ(dinput · x̂) = weight · dweight · eps / (var + eps)^(3/2), which is
    small.
    """
    answer = trial.answer(trial.arrays(draw("seed", SEEDS)))
    found, exact = answer.values("grad_input"), answer.exact
    allowed, x = answer.allowed("grad_input"), exact.normalized
    yield answer.found("Σ grad_input", found.sum(0), np.zeros(x.shape[1]), allowed.sum(0))
    dweight = (oracle.matrix(answer.arrays.grad_output) * x).sum(0)
    wanted = exact.weight * dweight * answer.arrays.eps * exact.rstd**3
    yield answer.found("Σ grad_input · x̂", (found * x).sum(0), wanted, (allowed * abs(x)).sum(0))


def linear_gradient(trial: Trial, draw: Draw) -> Iterator[QuantityCheck]:
    """The gradients for a · g + h are a times those for g, plus those for h."""
    arrays = trial.arrays(draw("seed", SEEDS))
    a = draw("a", st.sampled_from([-2.0, -1.0, 0.5, 2.0]))
    other = trial.arrays(draw("other seed", SEEDS)).grad_output
    both, g, h = (
        trial.answer(replace(arrays, grad_output=towards))
        for towards in (a * arrays.grad_output + other, arrays.grad_output, other)
    )
    for name in GRADIENTS:
        yield _sum(name, both, (a, g), h)


def affine(trial: Trial, draw: Draw) -> Iterator[QuantityCheck]:
    """output(weight, bias) = weight · output(1, 0) + bias."""
    arrays = trial.arrays(draw("seed", SEEDS))
    one = torch.ones_like(weight_of(arrays))
    here, bare = (
        trial.answer(arrays),
        trial.answer(trial.given(arrays, weight=one, bias=torch.zeros_like(one))),
    )
    weight, bias = here.exact.weight, here.exact.bias
    yield here.found(
        "output",
        here.values("output"),
        weight * bare.values("output") + bias,
        here.allowed("output") + abs(weight) * bare.allowed("output"),
    )


def channels_alone(trial: Trial, draw: Draw) -> Iterator[QuantityCheck]:
    """Whatever is in one channel, NaN and infinity among it, the answers of the others stay."""
    arrays = trial.arrays(draw("seed", SEEDS))
    channel = draw("channel", st.integers(0, trial.problem.channels - 1))
    value = draw("value", st.sampled_from([float("nan"), float("inf"), -float("inf"), 1e30, 0.0]))
    poisoned = arrays.input.clone()
    poisoned[:, channel] = value
    here, there = trial.answer(arrays), trial.answer(replace(arrays, input=poisoned))
    others = [number for number in range(trial.problem.channels) if number != channel]
    for name in ("output", *GRADIENTS, *STATISTICS):
        yield here.found(
            name,
            there.values(name)[..., others],
            here.values(name)[..., others],
            2 * here.allowed(name)[..., others],
        )


def running_averages(trial: Trial, draw: Draw) -> Iterator[QuantityCheck]:
    """After k batches r = (1 - m)^k r₀ + m Σ (1 - m)^(k-1-i) batchᵢ."""
    momentum = draw("momentum", st.sampled_from([0.1, 0.0, 0.5, 1.0, -0.5]))
    seeds = draw("seeds", st.lists(SEEDS, min_size=1, max_size=4))
    steps = list(batches(trial, momentum, seeds))
    first, last = steps[0][0], steps[-1][0]
    unbiasing = trial.problem.reduction / (trial.problem.reduction - 1)
    for name, part, times in (("running_mean", "mean", 1.0), ("running_var", "var", unbiasing)):
        wanted = (1 - momentum) ** len(steps) * oracle.vector(getattr(first.arrays, name))
        allowed = np.zeros_like(wanted)
        for answer, weight in steps:
            wanted = wanted + weight * momentum * times * getattr(answer.exact, part)
            allowed = allowed + abs(weight) * answer.allowed(name)
        yield last.found(name, last.values(name), wanted, allowed)


def inference_after_momentum_1(trial: Trial, draw: Draw) -> Iterator[QuantityCheck]:
    """With momentum 1 the running statistics are the batch's, the variance unbiased: inference then
    knows the batch.
    """
    arrays = replace(trial.arrays(draw("seed", SEEDS)), momentum=1.0)
    trained = trial.answer(arrays)
    kept = replace(
        arrays, running_mean=trained.results.running_mean, running_var=trained.results.running_var
    )
    inferred, exact = trial.answer(kept, training=False), trained.exact
    rstd = 1 / np.sqrt(exact.running_var + arrays.eps)
    wanted = exact.weight * (exact.input - exact.running_mean) * rstd + exact.bias
    relative = trained.allowed("running_var") * rstd**2 / 2
    moved = (
        abs(exact.weight)
        * rstd
        * (trained.allowed("running_mean") + abs(exact.input - exact.running_mean) * relative)
    )
    yield inferred.found(
        "output", inferred.values("output"), wanted, inferred.allowed("output") + moved
    )


def relu(trial: Trial, draw: Draw) -> Iterator[QuantityCheck]:
    """The output under "relu" is max(0, output) of that under none, residual and all."""
    arrays = trial.arrays(draw("seed", SEEDS))
    here, there = trial.answer(arrays), trial.with_problem(activation=None).answer(arrays)
    yield here.found(
        "output",
        here.values("output"),
        np.maximum(there.values("output"), 0),
        here.allowed("output") + there.allowed("output"),
    )


def repeated_batch(trial: Trial, draw: Draw) -> Iterator[QuantityCheck]:
    """A batch twice over has the batch's own answers, twice; the parameters' gradients double.

    Of the running variance the batch's part is made unbiased by 2n / (2n - 1) rather than n / (n -
    1).
    """
    arrays = trial.arrays(draw("seed", SEEDS))
    twice = trial.with_problem(shape=(2 * trial.problem.shape[0], *trial.problem.shape[1:]))
    here = trial.answer(arrays)
    doubled = {name: torch.cat([getattr(arrays, name)] * 2) for name in ("input", "grad_output")}
    there = twice.answer(twice.given(arrays, **doubled))
    for name, times in (("output", (2, 1)), ("grad_input", (2, 1)), ("running_mean", (1,))):
        yield here.found(
            name,
            there.values(name),
            np.tile(here.values(name), times),
            there.allowed(name) + np.tile(here.allowed(name), times),
        )
    for name in ("grad_weight", "grad_bias"):
        yield _sum(name, there, (2, here))
    n, kept = trial.problem.reduction, (1 - arrays.momentum) * oracle.vector(arrays.running_var)
    rescaled = (2 * n / (2 * n - 1)) / (n / (n - 1))
    yield _sum("running_var", there, (rescaled, here), kept * (1 - rescaled))


def folding(trial: Trial, draw: Draw) -> Iterator[QuantityCheck]:
    """At inference BN after x W + c is x (W s) + (c - running_mean) s + bias, for s = weight ·
    rstd.
    """
    arrays = trial.arrays(draw("seed", SEEDS))
    generator = np.random.Generator(np.random.PCG64(draw("layer's seed", SEEDS)))
    x, w, c = (
        generator.standard_normal(shape)
        for shape in (
            (trial.problem.shape[0], 5),
            (5, trial.problem.channels),
            (trial.problem.channels,),
        )
    )
    answer = trial.answer(
        replace(arrays, input=torch.from_numpy(x @ w + c).to(arrays.input)), training=False
    )
    exact = answer.exact
    s = exact.weight * exact.rstd
    folded = x @ (w * s) + ((c - exact.running_mean) * s + exact.bias)
    lost = (
        16
        * np.finfo(np.float64).eps
        * (abs(x) @ abs(w) + abs(c) + abs(exact.running_mean))
        * abs(s)
    )
    yield answer.found("output", answer.values("output"), folded, answer.allowed("output") + lost)


def of_the_oracle(
    implementation: Implementation, device: str, draw: Draw
) -> Iterator[QuantityCheck]:
    """Whatever the problem, phase, face and outputs, the answer is the oracle's."""
    example = draw("example", oracle_examples(implementation, device))
    arrays = example.arrays(device)
    prepared = implementation.prepare(
        example.problem, example.phase, face=example.face, outputs=example.outputs, arrays=arrays
    )
    yield from verify(
        call_once(prepared).results(), example.problem, example.phase, example.arrays(device)
    )


def weight_of(arrays: Arrays) -> torch.Tensor:
    """The weight, where a law that needs one is tried."""
    if arrays.weight is None:
        raise TypeError("this law is about a weight; try it on a problem that has one")
    return arrays.weight


def _sum(
    name: str,
    whole: Answer,
    scaled: tuple[float, Answer],
    added: Answer | oracle.Array | float = 0.0,
) -> QuantityCheck:
    """A quantity is a times that of another answer, plus that of a third, or plain numbers."""
    a, part = scaled
    more, tolerance = (
        (added.values(name), added.allowed(name)) if isinstance(added, Answer) else (added, 0.0)
    )
    return whole.found(
        name,
        whole.values(name),
        a * part.values(name) + more,
        whole.allowed(name) + abs(a) * part.allowed(name) + tolerance,
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
