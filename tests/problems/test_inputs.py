"""Operands are a function of seed and problem, each its own."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from harness.problems.inputs import make_arrays, shifted
from implementations import oracle
from implementations.interface import Arrays, Problem
from implementations.torch_formats import CHANNELS_LAST

PROBLEM = Problem((6, 5, 4, 3), activation="relu", residual=True)
TENSORS = tuple(field.name for field in fields(Arrays) if field.name not in {"momentum", "eps"})


def test_the_same_seed_gives_the_same_operands_and_another_gives_others():
    once, again, other = make_arrays(PROBLEM, 7), make_arrays(PROBLEM, 7), make_arrays(PROBLEM, 8)
    for name in TENSORS:
        assert torch.equal(getattr(once, name), getattr(again, name))
        assert not torch.equal(getattr(once, name), getattr(other, name))


def test_an_absent_operand_leaves_the_others_as_they_were():
    whole, less = (
        make_arrays(PROBLEM, 7),
        make_arrays(replace(PROBLEM, residual=False, weight=False), 7),
    )
    assert (less.residual, less.weight) == (None, None)
    for name in ("input", "grad_output", "bias", "running_mean", "running_var"):
        assert torch.equal(getattr(less, name), getattr(whole, name))


def test_no_two_operands_are_alike():
    arrays = make_arrays(PROBLEM, 7)
    assert not torch.equal(arrays.input, arrays.grad_output)
    assert not torch.equal(arrays.input, arrays.residual)


@pytest.mark.parametrize("shape", [(6, 5, 4, 3), (2, 5, 3, 4, 3)])
def test_channels_last_holds_the_same_values_in_its_own_order(shape):
    plain, blocked = (
        Problem(shape, residual=True),
        Problem(shape, memory_format="channels_last", residual=True),
    )
    for name in ("input", "grad_output", "residual"):
        here, there = getattr(make_arrays(plain, 0), name), getattr(make_arrays(blocked, 0), name)
        assert torch.equal(here, there)
        assert here.is_contiguous()
        assert there.is_contiguous(memory_format=CHANNELS_LAST[len(shape)])


@pytest.mark.parametrize(
    ("dtype", "parameter_dtype"),
    [("float64", None), ("float32", None), ("bfloat16", None), ("float16", "float32")],
)
def test_dtypes_are_the_problem_s(dtype, parameter_dtype):
    problem = Problem((4, 3), dtype, parameter_dtype)
    arrays = make_arrays(problem, 0)
    assert arrays.input.dtype == arrays.grad_output.dtype == getattr(torch, problem.dtype)
    parameters = {
        arrays.weight.dtype,
        arrays.bias.dtype,
        arrays.running_mean.dtype,
        arrays.running_var.dtype,
    }
    assert parameters == {getattr(torch, problem.parameter_dtype)}


def test_float64_input_is_no_widened_float32():
    drawn = make_arrays(Problem((64, 3), "float64"), 0).input
    assert not torch.equal(drawn, drawn.float().double())


def test_mean_and_scale_are_the_input_s_and_running_statistics_suit_it():
    arrays = make_arrays(Problem((4000, 2)), 0, mean=100.0, scale=0.01)
    assert arrays.input.mean().item() == pytest.approx(100.0, abs=0.001)
    assert arrays.input.std().item() == pytest.approx(0.01, rel=0.05)
    assert arrays.grad_output.std().item() == pytest.approx(1.0, rel=0.05)
    assert (arrays.running_mean - 100).abs().max() < 0.1
    assert ((arrays.running_var >= 0.5e-4) & (arrays.running_var < 1.5e-4)).all()


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "float16"])
@pytest.mark.parametrize(("mean", "scale"), [(0.0, 1.0), (64.0, 1.0), (-2.0, 0.5)])
def test_of_a_ternary_input_mean_and_variance_are_exact(dtype, mean, scale):
    arrays = make_arrays(
        Problem((4, 5, 3, 2), dtype, residual=True),
        0,
        distribution="ternary",
        mean=mean,
        scale=scale,
    )
    x = oracle.matrix(arrays.input)
    assert set(np.unique(x)) == {mean - scale, mean, mean + scale}
    assert x.mean(0).tolist() == [mean] * 5
    assert x.var(0).tolist() == [0.75 * scale**2] * 5


def test_a_ternary_input_s_mean_of_a_million_is_exact_in_float32():
    x = oracle.matrix(
        make_arrays(Problem((4, 5, 2, 2)), 0, distribution="ternary", mean=2.0**20).input
    )
    assert (x.mean(0).tolist(), x.var(0).tolist()) == ([2.0**20] * 5, [0.75] * 5)


def test_a_ternary_input_is_in_another_order_in_each_channel_and_for_each_seed():
    drawn = [
        oracle.matrix(make_arrays(Problem((64, 3)), seed, distribution="ternary").input)
        for seed in (0, 1)
    ]
    columns = [tuple(column) for x in drawn for column in x.T]
    assert len(set(columns)) == len(columns)


def test_a_ternary_input_s_companions_are_short_fractions():
    arrays = make_arrays(Problem((16, 40), residual=True), 0, distribution="ternary", mean=64.0)
    assert (
        set(arrays.grad_output.unique().tolist())
        == set(arrays.residual.unique().tolist())
        == {-2, -1, 0, 1, 2}
    )
    assert set(arrays.weight.tolist()) <= {-2, -1, 0.5, 1, 2}
    assert arrays.weight.min() < 0
    for short in (arrays.bias, arrays.running_mean - 64.0):
        assert torch.equal((4 * short).round(), 4 * short)
        assert short.abs().max() <= 1
    assert arrays.running_var.tolist() == [0.75] * 40


@pytest.mark.parametrize("shape", [(2, 3, 5), (7, 8), (9, 4, 1)])
def test_a_ternary_input_needs_eight_values_a_channel_or_a_multiple(shape):
    with pytest.raises(
        ValueError, match=r"values a channel; a ternary input needs a multiple of 8"
    ):
        make_arrays(Problem(shape), 0, distribution="ternary")


def test_half_of_a_rectified_input_is_zero_and_nothing_of_it_is_less():
    plain, rectified = (
        make_arrays(PROBLEM, 7, distribution=name) for name in ("normal", "rectified")
    )
    assert torch.equal(rectified.input, plain.input.clamp(min=0))
    assert (rectified.input == 0).float().mean().item() == pytest.approx(0.5, abs=0.1)
    for name in (name for name in TENSORS if name != "input"):
        assert torch.equal(getattr(rectified, name), getattr(plain, name))


@pytest.mark.parametrize("offset", [1, 3])
@pytest.mark.parametrize(
    ("shape", "layout", "dtype"),
    [
        ((6, 5, 4, 3), "contiguous", "float32"),
        ((6, 5, 4, 3), "channels_last", "float32"),
        ((2, 5, 3, 4, 3), "channels_last", "float64"),
        ((7, 3), "contiguous", "bfloat16"),
    ],
)
def test_an_offset_moves_the_data_by_elements_and_changes_nothing_else(
    shape, layout, dtype, offset
):
    problem = Problem(shape, dtype, memory_format=layout, residual=True)
    here, there = make_arrays(problem, 3), make_arrays(problem, 3, offset=offset)
    for name in TENSORS:
        one, other = getattr(here, name), getattr(there, name)
        assert torch.equal(one, other)
        assert one.stride() == other.stride()
    for name in ("input", "grad_output", "residual"):
        moved = getattr(there, name)
        assert moved.storage_offset() == offset
        assert moved.data_ptr() % 64 == offset * moved.element_size()


def test_a_shifted_tensor_has_memory_of_its_own():
    tensor = torch.arange(6.0).reshape(2, 3)
    moved = shifted(tensor, 1)
    moved.zero_()
    assert tensor.sum() == 15
