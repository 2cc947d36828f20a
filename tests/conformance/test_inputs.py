"""Operands are a function of seed and problem, each its own."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
import torch

from harness.inputs import make_arrays
from implementations.functional import CHANNELS_LAST
from implementations.interface import Arrays, Problem

PROBLEM = Problem((6, 5, 4, 3), activation="relu", residual=True)
TENSORS = tuple(field.name for field in fields(Arrays) if field.name not in {"momentum", "eps"})


def test_the_same_seed_gives_the_same_operands_and_another_gives_others():
    once, again, other = make_arrays(PROBLEM, 7), make_arrays(PROBLEM, 7), make_arrays(PROBLEM, 8)
    for name in TENSORS:
        assert torch.equal(getattr(once, name), getattr(again, name))
        assert not torch.equal(getattr(once, name), getattr(other, name))


def test_an_absent_operand_leaves_the_others_as_they_were():
    whole, less = make_arrays(PROBLEM, 7), make_arrays(replace(PROBLEM, residual=False, weight=False), 7)
    assert (less.residual, less.weight) == (None, None)
    for name in ("input", "grad_output", "bias", "running_mean", "running_var"):
        assert torch.equal(getattr(less, name), getattr(whole, name))


def test_no_two_operands_are_alike():
    arrays = make_arrays(PROBLEM, 7)
    assert not torch.equal(arrays.input, arrays.grad_output)
    assert not torch.equal(arrays.input, arrays.residual)


@pytest.mark.parametrize("shape", [(6, 5, 4, 3), (2, 5, 3, 4, 3)])
def test_channels_last_holds_the_same_values_in_its_own_order(shape):
    plain, blocked = Problem(shape, residual=True), Problem(shape, memory_format="channels_last", residual=True)
    for name in ("input", "grad_output", "residual"):
        here, there = getattr(make_arrays(plain, 0), name), getattr(make_arrays(blocked, 0), name)
        assert torch.equal(here, there)
        assert here.is_contiguous()
        assert there.is_contiguous(memory_format=CHANNELS_LAST[len(shape)])


@pytest.mark.parametrize(("dtype", "parameter_dtype"), [
    ("float64", None), ("float32", None), ("bfloat16", None), ("float16", "float32")])
def test_dtypes_are_the_problem_s(dtype, parameter_dtype):
    problem = Problem((4, 3), dtype, parameter_dtype)
    arrays = make_arrays(problem, 0)
    assert arrays.input.dtype == arrays.grad_output.dtype == getattr(torch, problem.dtype)
    parameters = {arrays.weight.dtype, arrays.bias.dtype, arrays.running_mean.dtype, arrays.running_var.dtype}
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
