"""The C++ against the float64 oracle: every blocking, tail and alignment, with the instruction set
that BNBENCH_ISA asks for.
"""

from __future__ import annotations

import os
from dataclasses import fields

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from harness.conformance.compare import compare_with_oracle, failure_summary
from harness.problems.inputs import make_arrays
from implementations.fused_cpu import FusedCpu, kernels, library
from implementations.interface import Gradients, Options, Phase, Problem
from tests.helpers.kernel_problems import (
    CACHES,
    OFFSETS,
    THREADS,
    TRAVERSALS,
    arrays_at,
    examples,
    kernel_variants,
    problems,
    situation,
    variant_caches,
    variant_problems,
)

# Only a layer skips the mask of ReLU where no backward will follow.
FACES_BY_PHASE = {
    Phase.TRAINING_STEP: "kernel",
    Phase.INFERENCE: "layer",
    Phase.BACKWARD_INFERENCE: "kernel",
}
GUARD = 64  # elements before and behind an output, which must not change


def results(problem, phase, arrays, *, face="kernel", outputs="fresh", calls=1):
    prepared = FusedCpu().prepare(problem, phase, face=face, outputs=outputs, arrays=arrays)
    prepared.arm(calls)
    for _ in range(calls):
        prepared()
    return prepared.results()


def equal(one, other):
    return all(
        (mine := getattr(one, field.name)) is (its := getattr(other, field.name)) is None
        or torch.equal(mine, its)
        for field in fields(one)
    )


# Single rows, the first eight of which are far from the mean.
FAR_FROM_MEAN = Problem(
    (5, 10, 12, 14), "bfloat16", "float32", "channels_last", None, weight=False, bias=False
)
# Before ReLU one element is 1.8e-8, which float16 stores as 0: so its gradient is 0, too.
STORED_AS_ZERO = Problem((18, 20, 5, 8, 20), "float16", "float16", activation="relu", residual=True)


@pytest.mark.skipif(not os.environ.get("BNBENCH_ISA"), reason="no instruction set is forced")
def test_the_instruction_set_that_is_forced_is_in_use():
    assert library.instruction_set() == os.environ["BNBENCH_ISA"]


@examples(400)
@given(
    problems(),
    st.sampled_from(Phase),
    CACHES,
    THREADS,
    OFFSETS,
    st.sampled_from(("fresh", "reused")),
)
@example(STORED_AS_ZERO, Phase.BACKWARD_INFERENCE, None, 1, 0, "fresh")
@example(FAR_FROM_MEAN, Phase.FORWARD_TRAINING, (4096, 16384), 1, 8, "reused")
def test_results_agree_with_the_oracle(problem, phase, caches, threads, offset, outputs):
    arrays = arrays_at(problem, offset)
    with situation(caches, threads):
        found = results(problem, phase, arrays, outputs=outputs)
    assert not failure_summary(compare_with_oracle(found, problem, phase, arrays))


@pytest.mark.parametrize(("dtype", "traversal", "blocking"), kernel_variants())
def test_every_instance_of_the_kernels_agrees_with_the_oracle(dtype, traversal, blocking):
    for problem in variant_problems(dtype, traversal):
        arrays = make_arrays(problem, 0)
        with situation(variant_caches(blocking, problem), TRAVERSALS[traversal].threads):
            for phase, face in FACES_BY_PHASE.items():
                found = results(problem, phase, arrays, face=face)
                assert not failure_summary(compare_with_oracle(found, problem, phase, arrays))


@examples(100)
@given(problems(), st.sampled_from(Phase), CACHES, THREADS)
def test_results_are_the_same_to_the_bit_for_the_same_number_of_threads(
    problem, phase, caches, threads
):
    arrays = make_arrays(problem, 1)
    with situation(caches, threads):
        assert equal(results(problem, phase, arrays), results(problem, phase, arrays))


@examples(50)
@given(problems(), CACHES, THREADS)
def test_a_layer_equals_its_kernels_to_the_bit(problem, caches, threads):
    arrays = make_arrays(problem, 2)
    with situation(caches, threads):
        layer, kernel = (
            results(problem, Phase.TRAINING_STEP, arrays, face=face) for face in ("layer", "kernel")
        )
    assert equal(layer, kernel)


@examples(100)
@given(problems(), CACHES, THREADS, st.integers(0, 9), st.booleans())
def test_nothing_is_written_outside_the_outputs(problem, caches, threads, offset, training):
    arrays = make_arrays(problem, 3)
    options = Options(training, activation=problem.activation)
    memory = [
        torch.full((problem.size + 2 * GUARD,), 7.0, dtype=arrays.input.dtype) for _ in range(3)
    ]
    out, dx, dresidual = (
        torch.as_strided(each, arrays.input.shape, arrays.input.stride(), GUARD + offset)
        for each in memory
    )
    with situation(caches, threads):
        _, saved = kernels.forward(
            arrays.input,
            arrays.residual,
            arrays.weight,
            arrays.bias,
            arrays.running_mean.clone(),
            arrays.running_var.clone(),
            options,
            out,
        )
        given = Gradients(
            dx,
            dresidual if problem.residual else None,
            *(
                None if each is None else torch.empty_like(each)
                for each in (arrays.weight, arrays.bias)
            ),
        )
        kernels.backward(arrays.grad_output, saved, options, given)
    for each in memory:
        assert (each[: GUARD + offset] == 7).all()
        assert (each[GUARD + offset + problem.size :] == 7).all()


@pytest.mark.parametrize("memory_format", ["contiguous", "channels_last"])
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("caches", [None, (64, 64)], ids=["cached", "uncached"])
class TestVariance:
    """Compared with float64, since the oracle's tolerance grows with the mean."""

    def variance(self, x, memory_format, threads, caches):
        x = x.contiguous(
            memory_format=torch.channels_last
            if memory_format == "channels_last"
            else torch.contiguous_format
        )
        mean, var = torch.zeros(x.shape[1]), torch.zeros(x.shape[1])
        with situation(caches, threads):
            kernels.infer(x, None, None, None, mean, var, Options(True, 1.0))
        exact = x.double().var(dim=(0, 2, 3))
        return (var / exact - 1).abs().max().item(), (
            (mean - x.double().mean(dim=(0, 2, 3))) / exact.sqrt()
        ).abs().max().item()

    def test_a_mean_of_ten_thousand_costs_no_digits(self, memory_format, threads, caches):
        x = torch.randn(16, 5, 30, 31, generator=torch.Generator().manual_seed(0)) + 1e4
        variance, _ = self.variance(x, memory_format, threads, caches)
        assert variance < 2e-6

    def test_a_first_value_far_off_costs_no_digits(self, memory_format, threads, caches):
        x = torch.randn(16, 5, 30, 31, generator=torch.Generator().manual_seed(1))
        x[0, :, :1] += 1e4
        variance, _ = self.variance(x, memory_format, threads, caches)
        assert variance < 1e-4  # a single origin would leave no digits

    @pytest.mark.parametrize("first", [16, 480])
    def test_outliers_where_a_channel_begins_cost_no_digits(
        self, memory_format, threads, caches, first
    ):
        x = torch.randn(1, 2, 400, 500, generator=torch.Generator().manual_seed(2))
        x[0].flatten(1)[:, :first] = 1e7
        variance, _ = self.variance(x, memory_format, threads, caches)
        # 2e-5 with four lanes, less with more; 6e-4 when the outliers' mean was the origin
        assert variance < 5e-5

    def test_values_in_order_cost_no_digits(self, memory_format, threads, caches):
        x = torch.linspace(0, 1e4, 16 * 30 * 31).view(16, 1, 30, 31).expand(16, 5, 30, 31)
        variance, mean = self.variance(x, memory_format, threads, caches)
        assert variance < 2e-6
        assert mean < 1e-6


@pytest.mark.parametrize("threads", [1, 2])
def test_a_constant_channel_is_its_bias_exactly(threads):
    x = torch.full((8, 3, 14, 14), 1e6)
    weight, bias = torch.tensor([2.0, 3.0, 4.0]), torch.tensor([0.5, 0.25, -1.0])
    with situation(None, threads):
        output, saved = kernels.forward(x, None, weight, bias, None, None, Options(True))
    assert torch.equal(output, bias.view(1, 3, 1, 1).expand_as(output))
    assert torch.equal(saved.statistics[0], torch.full((3,), 1e6, dtype=torch.float64))


@examples(60)
@given(problems(dtypes=("float32", "bfloat16")), CACHES, THREADS)
@example(Problem((5, 3, 4, 5), "float32", activation="relu"), None, 1)
@example(Problem((5, 3, 4, 5), "float64", activation="relu"), None, 1)
@example(Problem((5, 3, 4, 5), "bfloat16", activation="relu"), None, 1)
@example(Problem((5, 3, 4, 5), "float16", activation="relu"), None, 1)
def test_a_nan_stays_in_its_channel(problem, caches, threads):
    arrays = make_arrays(problem, 4)
    clean = results(problem, Phase.TRAINING_STEP, arrays)
    arrays.input[(0, 0, *[0] * (len(problem.shape) - 2))] = torch.nan
    with situation(caches, threads):
        found = results(problem, Phase.TRAINING_STEP, arrays)
    assert found.output[:, 0].isnan().all()
    assert not any(getattr(found, name)[:, 1:].isnan().any() for name in ("output", "grad_input"))
    assert not clean.output.isnan().any()


def test_a_mask_has_one_bit_per_element():
    for shape in ((32, 64, 56, 56), (32, 64, 7, 7), (128, 256)):
        problem = Problem(shape, activation="relu", residual=True)
        arrays = make_arrays(problem, 5)
        _, saved = kernels.forward(
            arrays.input,
            arrays.residual,
            arrays.weight,
            arrays.bias,
            None,
            None,
            Options(True, activation="relu"),
        )
        assert saved.mask.numel() <= problem.size / 8 + 8
        _, without = kernels.forward(
            arrays.input,
            None,
            arrays.weight,
            arrays.bias,
            None,
            None,
            Options(True, activation="relu"),
        )
        assert without.mask is None
