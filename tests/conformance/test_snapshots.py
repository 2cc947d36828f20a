"""What was changed, to the bit."""

from __future__ import annotations

import math

import pytest
import torch

from harness.conformance.checks.snapshots import changed, snapshot
from harness.problems.inputs import make_arrays
from harness.problems.tensors import named_tensors, same_bits
from implementations.interface import Problem


def bits(*patterns):
    """float32 numbers of these bits."""
    return torch.tensor(patterns, dtype=torch.int64).to(torch.int32).view(torch.float32)


QUIET, PAYLOAD, NEGATIVE = 0x7FC00000, 0x7FC00001, -0x00400000


@pytest.mark.parametrize("pattern", [QUIET, PAYLOAD, NEGATIVE])
def test_nan_is_the_same_as_itself(pattern):
    assert same_bits(bits(pattern), bits(pattern))


def test_nan_of_another_payload_or_sign_is_another():
    assert math.isnan(bits(PAYLOAD).item())
    assert not same_bits(bits(QUIET), bits(PAYLOAD))
    assert not same_bits(bits(QUIET), bits(NEGATIVE))


def test_zeros_of_two_signs_are_two():
    assert same_bits(torch.tensor([0.0]), torch.tensor([0.0]))
    assert same_bits(torch.tensor([-0.0]), torch.tensor([-0.0]))
    assert not same_bits(torch.tensor([0.0]), torch.tensor([-0.0]))


def test_infinities_and_subnormals_are_told_apart():
    assert not same_bits(torch.tensor([math.inf]), torch.tensor([-math.inf]))
    assert not same_bits(bits(1), bits(2))
    assert same_bits(bits(1), bits(1))


@pytest.mark.parametrize(
    "dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16, torch.int64]
)
@pytest.mark.parametrize("shape", [(), (1,), (0,), (3, 0, 2), (1, 1, 1, 1), (2, 3)])
def test_of_any_dtype_and_shape_a_copy_is_the_same_and_a_change_is_seen(shape, dtype):
    tensor = torch.ones(shape, dtype=dtype)
    assert same_bits(tensor, tensor.clone())
    if tensor.numel():
        other = tensor.clone()
        other.view(-1)[-1] = 2
        assert not same_bits(tensor, other)


def test_another_shape_or_dtype_is_another_tensor():
    assert not same_bits(torch.zeros(2, 3), torch.zeros(3, 2))
    assert not same_bits(torch.zeros(0, 3), torch.zeros(0))
    assert not same_bits(torch.zeros(3), torch.zeros(3, dtype=torch.int32))


@pytest.mark.parametrize("stride", [(7,), (0,)])
def test_one_element_may_have_any_stride(stride):
    odd = torch.as_strided(torch.tensor([1.5]), (1,), stride)
    assert same_bits(odd, torch.tensor([1.5]))
    assert not same_bits(odd, torch.tensor([1.0]))


def test_values_are_compared_wherever_they_lie():
    tensor = torch.arange(24.0).reshape(2, 3, 2, 2)
    for view in (
        tensor.contiguous(memory_format=torch.channels_last),
        torch.stack([tensor, -tensor], -1)[..., 0],
    ):
        assert same_bits(tensor, view)
    assert same_bits(tensor[:, :, :1].expand_as(tensor), tensor[:, :, :1].repeat(1, 1, 2, 1))


def test_a_tensor_that_needs_its_gradient_is_compared_by_its_values():
    assert same_bits(torch.ones(2, requires_grad=True), torch.ones(2))


def test_what_was_changed_is_told_and_what_was_not_is_not():
    now = {"input": torch.ones(2), "weight": torch.ones(2)}
    before = snapshot(now)
    assert list(changed(before, now)) == []
    now["weight"].mul_(-1)
    (found,) = changed(before, now, "was changed by the call")
    assert str(found) == "weight was changed by the call"
    assert not found.passed
    assert list(changed({"input": before["input"]}, now)) == []


def test_the_tensors_of_arrays_and_of_mappings_are_found_by_name():
    arrays = make_arrays(Problem((4, 3), bias=False), 0)
    assert list(named_tensors(arrays)) == [
        "input",
        "grad_output",
        "weight",
        "running_mean",
        "running_var",
    ]
    assert list(named_tensors({"a": torch.ones(1), "b": None, "c": 0.1})) == ["a"]
