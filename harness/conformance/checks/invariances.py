"""Laws about changed operands: what happens when they are moved, scaled or permuted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from hypothesis import strategies as st

from harness.conformance.checks.examples import Trial, rows_of
from harness.conformance.checks.law_terms import (
    GRADIENTS,
    QUARTERS,
    SEEDS,
    STATISTICS,
    scaled_sum,
    weight_of,
)
from harness.conformance.checks.search import Draw
from harness.conformance.compare import QuantityCheck
from implementations import oracle


def shift(trial: Trial, draw: Draw) -> Iterator[QuantityCheck]:
    """output(x + b) = output(x), and gradients; the running mean moves by momentum · b."""
    arrays, b = trial.arrays(draw("seed", SEEDS)), draw("b", QUARTERS)
    here, there = trial.answer(arrays), trial.answer(replace(arrays, input=arrays.input + b))
    yield from here.equals(there, "output", "running_var", *GRADIENTS)
    yield scaled_sum("running_mean", there, (1, here), arrays.momentum * b)


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
    yield scaled_sum("grad_input", here, (a, there))
    yield scaled_sum("grad_weight", here, (sign, there))


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
    vectors = {name: getattr(arrays, name) for name in ("weight", "bias", *STATISTICS)}
    moved |= {name: given[order] for name, given in vectors.items() if given is not None}
    here, there = trial.answer(arrays), trial.answer(trial.given(arrays, **moved))
    yield from here.equals(there, "output", *GRADIENTS, *STATISTICS, channels=order)


def channels_alone(trial: Trial, draw: Draw) -> Iterator[QuantityCheck]:
    """Whatever is in one channel, NaN and infinity among it, the answers of the others stay."""
    arrays = trial.arrays(draw("seed", SEEDS))
    channel = draw("channel", st.integers(0, trial.problem.channels - 1))
    value = draw("value", st.sampled_from([float("nan"), float("inf"), -float("inf"), 1e30, 0.0]))
    poisoned = arrays.input.clone()
    poisoned[:, channel] = value
    here, there = trial.answer(arrays), trial.answer(replace(arrays, input=poisoned))
    others = [number for number in range(trial.problem.channels) if number != channel]
    for name in here.present("output", *GRADIENTS, *STATISTICS):
        yield here.found(
            name,
            there.values(name)[..., others],
            here.values(name)[..., others],
            2 * here.allowed(name)[..., others],
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
    for name in here.present("grad_weight", "grad_bias"):
        yield scaled_sum(name, there, (2, here))
    n, kept = trial.problem.reduction, (1 - arrays.momentum) * oracle.vector(arrays.running_var)
    rescaled = (2 * n / (2 * n - 1)) / (n / (n - 1))
    yield scaled_sum("running_var", there, (rescaled, here), kept * (1 - rescaled))
