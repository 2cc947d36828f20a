"""`Problem` takes what it was given, or says what it takes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from implementations.interface import Problem


@pytest.mark.parametrize(
    "shape",
    [(4, 3.7), (True, 3), ("4", "3"), (4, None), "43", b"43", 5, None, {4: 0, 3: 0}],
    ids=repr,
)
def test_a_size_that_is_no_whole_number_is_refused_and_not_rounded(shape):
    with pytest.raises(ValueError, match=r"^Problem\(shape=.*allowed: whole numbers, such as \(32"):
        Problem(shape)


@pytest.mark.parametrize(("shape", "allowed"), [((4, -3), "positive"), ((4,), "2 to 5 sizes")])
def test_a_shape_that_no_input_has_is_refused(shape, allowed):
    with pytest.raises(ValueError, match=f"allowed: {allowed}"):
        Problem(shape)


@pytest.mark.parametrize("part", ["residual", "weight", "bias"])
@pytest.mark.parametrize("given", ["no", 1, None])
def test_an_operand_is_there_or_not(part, given):
    with pytest.raises(ValueError, match=f"{part}=.*allowed: True or False"):
        Problem((4, 3), **{part: given})


@pytest.mark.parametrize("shape", [[4, 3], torch.Size((4, 3)), (np.int64(4), np.uint8(3))])
def test_sizes_of_pytorch_and_numpy_become_numbers_of_python(shape):
    assert Problem(shape) == Problem((4, 3))
    assert [type(size) for size in Problem(shape).shape] == [int, int]
