"""Laws about one answer, or answers that add up: identities that the formulas imply."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from hypothesis import strategies as st

from harness.conformance.checks.examples import Trial, batches
from harness.conformance.checks.law_terms import GRADIENTS, SEEDS, scaled_sum, weight_of
from harness.conformance.checks.search import Draw
from harness.conformance.compare import QuantityCheck
from implementations import oracle


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
    for name in both.present(*GRADIENTS):
        yield scaled_sum(name, both, (a, g), h)


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
        * np.finfo(trial.problem.dtype).eps
        * (abs(x) @ abs(w) + abs(c) + abs(exact.running_mean))
        * abs(s)
    )
    yield answer.found("output", answer.values("output"), folded, answer.allowed("output") + lost)
